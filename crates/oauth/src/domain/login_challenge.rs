//! The login step of an authorization (OpenID Connect Core section 3.1.2.3): a challenge is handed to the login
//! application, its decision comes back as a verifier.
//!
//! States: asked ([`AuthorizationFlow`] as challenge) -> decided ([`LoginVerifier`]) -> used, once: see
//! [`one_time`](super::one_time). What always holds: nothing is stored before a decision was redeemed.

use std::time::Duration;

use base::Timestamp;
use base::seal::Purpose;
use oauth_types::{OAuthError, Parameters};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::authorization_request::{AuthorizationRequest, ResponseTarget};
use super::client::ClientId;
use super::grant::GrantId;
use super::login_session::{LoginSession, LoginSessionId};
use super::rejection::Rejection;
use super::sealed::SealedValue;

/// An authorization that is under way. Sealed as it stands, it is the login challenge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationFlow {
    /// Names the whole flow; the consent and the grant take this id.
    #[serde(rename = "i")]
    pub id: GrantId,
    #[serde(rename = "c")]
    pub client_id: ClientId,
    /// The parameters as they were sent, by query or form.
    #[serde(rename = "q")]
    pub query: String,
    #[serde(rename = "t")]
    pub target: ResponseTarget,
    #[serde(rename = "a")]
    pub requested_at: Timestamp,
    /// What the browser's login cookie must hold when it comes back.
    #[serde(rename = "b")]
    pub csrf: String,
    /// The session that the login will have: the remembered one, or a fresh id.
    #[serde(rename = "s")]
    pub session_id: LoginSessionId,
    /// The login that the browser remembers and that may be used again.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub remembered: Option<RememberedLogin>,
    /// What `id_token_hint` said, already verified.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub hint_claims: Option<serde_json::Map<String, Value>>,
    /// The request may be answered from consent given before, as far as client and redirect URI are concerned.
    #[serde(rename = "k")]
    pub may_skip_consent: bool,
}

/// What a remembered login session says about the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedLogin {
    #[serde(rename = "s")]
    pub subject: String,
    #[serde(rename = "t")]
    pub authenticated_at: Timestamp,
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
}

impl From<LoginSession> for RememberedLogin {
    fn from(session: LoginSession) -> Self {
        Self {
            subject: session.subject,
            authenticated_at: session.authenticated_at,
            acr: session.acr,
            amr: session.amr,
        }
    }
}

impl SealedValue for AuthorizationFlow {
    const PURPOSE: Purpose = Purpose("oauth login challenge");
}

impl AuthorizationFlow {
    /// Whether the person is known and the login application need not show anything.
    pub fn skip(&self) -> bool {
        self.remembered.is_some()
    }

    pub fn expires_at(&self, lifetime: Duration) -> Timestamp {
        self.requested_at.plus(lifetime)
    }

    /// The validated request.
    pub fn request(&self) -> Result<AuthorizationRequest, OAuthError> {
        AuthorizationRequest::interpret(&self.parameters(), self.target.clone())
    }

    /// The parameters were accepted once, so they can be read again.
    pub fn parameters(&self) -> Parameters {
        Parameters::parse(self.query.as_bytes()).unwrap_or_default()
    }

    /// The same request, made to ask for a new login.
    pub fn query_asking_for_login(&self) -> String {
        let parameters = self.parameters();
        let others = parameters.iter().filter(|(name, _)| *name != "prompt");
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(others).append_pair("prompt", "login").finish()
    }

    /// What the login application's answer amounts to.
    pub fn accept_login(&self, answer: AcceptLogin, now: Timestamp) -> LoginAcceptance {
        if answer.subject.is_empty() {
            return LoginAcceptance::SubjectMissing;
        }
        match &self.remembered {
            // The browser remembers another person: the person must sign in first.
            Some(remembered) if remembered.subject != answer.subject => LoginAcceptance::SignInAgain,
            Some(remembered) => LoginAcceptance::Accepted(Box::new(AcceptedLogin {
                subject: answer.subject,
                remember: true,
                remember_for: answer.remember_for,
                extend_session_lifespan: answer.extend_session_lifespan,
                acr: answer.acr.or_else(|| remembered.acr.clone()),
                amr: if answer.amr.is_empty() { remembered.amr.clone() } else { answer.amr },
                context: answer.context,
                force_subject_identifier: answer.force_subject_identifier,
                identity_provider_session_id: answer.identity_provider_session_id,
                authenticated_at: remembered.authenticated_at,
                accepted_at: now,
            })),
            None => LoginAcceptance::Accepted(Box::new(AcceptedLogin {
                subject: answer.subject,
                remember: answer.remember,
                remember_for: answer.remember_for,
                extend_session_lifespan: false,
                acr: answer.acr,
                amr: answer.amr,
                context: answer.context,
                force_subject_identifier: answer.force_subject_identifier,
                identity_provider_session_id: answer.identity_provider_session_id,
                authenticated_at: now.truncated_to_seconds(),
                accepted_at: now,
            })),
        }
    }
}

/// What the login application says when somebody signed in.
#[derive(Clone, Debug, Default)]
pub struct AcceptLogin {
    pub subject: String,
    pub remember: bool,
    /// Seconds; 0 for as long as is configured.
    pub remember_for: u64,
    pub extend_session_lifespan: bool,
    pub acr: Option<String>,
    pub amr: Vec<String>,
    pub context: Option<Value>,
    pub force_subject_identifier: Option<String>,
    pub identity_provider_session_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum LoginAcceptance {
    Accepted(Box<AcceptedLogin>),
    /// The browser goes back to the beginning, to sign in anew.
    SignInAgain,
    SubjectMissing,
}

/// Who signed in, when and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AcceptedLogin {
    #[serde(rename = "s")]
    pub subject: String,
    #[serde(rename = "r")]
    pub remember: bool,
    #[serde(rename = "f")]
    pub remember_for: u64,
    #[serde(rename = "e")]
    pub extend_session_lifespan: bool,
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Value>,
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub force_subject_identifier: Option<String>,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub identity_provider_session_id: Option<String>,
    #[serde(rename = "t")]
    pub authenticated_at: Timestamp,
    /// When the login application said so. What was sealed without it was said long ago.
    #[serde(rename = "a", default = "long_ago")]
    pub accepted_at: Timestamp,
}

fn long_ago() -> Timestamp {
    Timestamp::EPOCH
}

/// The decision of the login application, on its way back through the browser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoginVerifier {
    #[serde(rename = "f")]
    pub flow: AuthorizationFlow,
    #[serde(rename = "d")]
    pub decision: Decision<AcceptedLogin>,
}

impl SealedValue for LoginVerifier {
    const PURPOSE: Purpose = Purpose("oauth login verifier");
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Decision<T> {
    #[serde(rename = "a")]
    Accepted(T),
    #[serde(rename = "r")]
    Rejected(Rejection),
}

/// Whether the person who signed in is the one that `id_token_hint` named: by the subject itself, or by what the client
/// knows in its place.
pub fn hint_names(hint_claims: &serde_json::Map<String, Value>, subject: &str, shown_subject: &str) -> bool {
    hint_claims.get("sub").and_then(Value::as_str).is_some_and(|hinted| hinted == subject || hinted == shown_subject)
}

#[cfg(test)]
mod tests {
    use oauth_types::ResponseMode;
    use uuid::Uuid;

    use super::*;

    fn flow(remembered: Option<RememberedLogin>) -> AuthorizationFlow {
        AuthorizationFlow {
            id: GrantId::from_uuid(Uuid::nil()),
            client_id: ClientId::parse("shop").unwrap(),
            query: "client_id=shop&prompt=none&state=a+b".to_owned(),
            target: ResponseTarget {
                redirect_uri: "https://shop.example/cb".to_owned(),
                mode: ResponseMode::Query,
                state: Some("a b".to_owned()),
            },
            requested_at: Timestamp::EPOCH,
            csrf: "x".to_owned(),
            session_id: LoginSessionId::from_uuid(Uuid::nil()),
            remembered,
            hint_claims: None,
            may_skip_consent: true,
        }
    }

    fn remembered() -> RememberedLogin {
        RememberedLogin {
            subject: "ada".to_owned(),
            authenticated_at: Timestamp::from_unix_seconds(10),
            acr: Some("aal2".to_owned()),
            amr: vec!["password".to_owned()],
        }
    }

    fn answer(subject: &str) -> AcceptLogin {
        AcceptLogin { subject: subject.to_owned(), ..AcceptLogin::default() }
    }

    #[test]
    fn a_new_login_is_as_old_as_the_answer_in_whole_seconds() {
        let now = Timestamp::from_unix_micros(5_999_999);
        let LoginAcceptance::Accepted(login) = flow(None).accept_login(answer("ada"), now) else { panic!() };
        assert_eq!(login.authenticated_at, Timestamp::from_unix_seconds(5));
        assert_eq!(login.accepted_at, now);
        assert!(!login.remember);
    }

    #[test]
    fn a_skipped_login_keeps_its_time_and_its_methods() {
        let flow = flow(Some(remembered()));
        let LoginAcceptance::Accepted(login) = flow.accept_login(answer("ada"), Timestamp::EPOCH) else { panic!() };
        assert_eq!(login.authenticated_at, Timestamp::from_unix_seconds(10));
        assert_eq!((login.acr.as_deref(), login.amr.len()), (Some("aal2"), 1));
        assert!(login.remember);
    }

    #[test]
    fn somebody_else_signs_in_anew() {
        let flow = flow(Some(remembered()));
        assert_eq!(flow.accept_login(answer("bob"), Timestamp::EPOCH), LoginAcceptance::SignInAgain);
        assert_eq!(flow.query_asking_for_login(), "client_id=shop&state=a+b&prompt=login");
        assert_eq!(flow.accept_login(answer(""), Timestamp::EPOCH), LoginAcceptance::SubjectMissing);
    }

    #[test]
    fn challenges_and_verifiers_are_never_taken_for_each_other() {
        use base::{Rng, Sealer, Secret, TenantId};
        let sealer = Sealer::new(&[Secret::new("a secret of sufficient length".to_owned())], Rng::seeded(1)).unwrap();
        let challenge = flow(Some(remembered())).seal(&sealer, TenantId::DEFAULT);
        assert_eq!(AuthorizationFlow::open(&sealer, TenantId::DEFAULT, &challenge), Ok(flow(Some(remembered()))));
        assert!(LoginVerifier::open(&sealer, TenantId::DEFAULT, &challenge).is_err());
        assert!(AuthorizationFlow::open(&sealer, TenantId::from_i32(2), &challenge).is_err());
        let rejected = LoginVerifier { flow: flow(None), decision: Decision::Rejected(Rejection::new("", "", "")) };
        let verifier = rejected.seal(&sealer, TenantId::DEFAULT);
        assert_eq!(LoginVerifier::open(&sealer, TenantId::DEFAULT, &verifier), Ok(rejected));
        assert!(AuthorizationFlow::open(&sealer, TenantId::DEFAULT, &verifier).is_err());
    }

    #[test]
    fn a_rejection_speaks_in_allowed_characters() {
        let rejection = Rejection::new("my error\"", "say \"hi\"\n", "ä");
        assert_eq!(rejection, Rejection { error: "myerror".to_owned(), description: "say 'hi'? ?".to_owned() });
        assert_eq!(Rejection::new("", "", "").error, "access_denied");
    }
}
