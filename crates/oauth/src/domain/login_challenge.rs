//! The login step of an authorization (OpenID Connect Core section 3.1.2.3): the login application receives a challenge,
//! and its decision comes back as a verifier.
//!
//! States: requested ([`AuthorizationFlow`] as challenge) -> decided ([`LoginVerifier`]) -> redeemed, once: see
//! [`one_time`](super::one_time). Invariant: nothing is stored before a decision is redeemed.

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

/// An authorization in progress. Sealed, it is the login challenge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationFlow {
    /// The id of the flow, and later of the consent and the grant.
    #[serde(rename = "i")]
    pub id: GrantId,
    #[serde(rename = "c")]
    pub client_id: ClientId,
    /// The parameters as sent, by query or form.
    #[serde(rename = "q")]
    pub query: String,
    #[serde(rename = "t")]
    pub target: ResponseTarget,
    #[serde(rename = "a")]
    pub requested_at: Timestamp,
    /// The expected content of the browser's login cookie.
    #[serde(rename = "b")]
    pub csrf: String,
    /// The id of the session for this login: the remembered one, or a new id.
    #[serde(rename = "s")]
    pub session_id: LoginSessionId,
    /// The remembered login of the browser, if it may be reused.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub remembered: Option<RememberedLogin>,
    /// The verified claims of `id_token_hint`.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub hint_claims: Option<serde_json::Map<String, Value>>,
    /// Client and redirect URI permit reusing an earlier consent.
    #[serde(rename = "k")]
    pub may_skip_consent: bool,
}

/// The user of a remembered login session.
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
    /// Whether the user is known and the login application can skip the form.
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

    /// The parameters were validated before, so parsing them succeeds.
    pub fn parameters(&self) -> Parameters {
        Parameters::parse(self.query.as_bytes()).unwrap_or_default()
    }

    /// The same request, changed to require a new login.
    pub fn query_asking_for_login(&self) -> String {
        let parameters = self.parameters();
        let others = parameters.iter().filter(|(name, _)| *name != "prompt");
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(others).append_pair("prompt", "login").finish()
    }

    /// The effect of the login application's acceptance.
    pub fn accept_login(&self, answer: AcceptLogin, now: Timestamp) -> LoginAcceptance {
        if answer.subject.is_empty() {
            return LoginAcceptance::SubjectMissing;
        }
        match &self.remembered {
            // The browser remembers another user: a new login is required first.
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

/// The login application's acceptance.
#[derive(Clone, Debug, Default)]
pub struct AcceptLogin {
    pub subject: String,
    pub remember: bool,
    /// Seconds; 0 for the configured lifespan.
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
    /// The browser returns to the start, for a new login.
    SignInAgain,
    SubjectMissing,
}

/// Who logged in, when and how.
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
    /// When the login application accepted. Values sealed without it are treated as very old.
    #[serde(rename = "a", default = "long_ago")]
    pub accepted_at: Timestamp,
}

fn long_ago() -> Timestamp {
    Timestamp::EPOCH
}

/// The decision of the login application, passed back through the browser.
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

/// Whether the user who logged in is the one in `id_token_hint`, by the subject or by the client's identifier for it.
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
    fn a_new_login_has_the_time_of_its_acceptance_in_whole_seconds() {
        let now = Timestamp::from_unix_micros(5_999_999);
        let LoginAcceptance::Accepted(login) = flow(None).accept_login(answer("ada"), now) else { panic!() };
        assert_eq!(login.authenticated_at, Timestamp::from_unix_seconds(5));
        assert_eq!(login.accepted_at, now);
        assert!(!login.remember);
    }

    #[test]
    fn a_skipped_login_keeps_its_time_and_methods() {
        let flow = flow(Some(remembered()));
        let LoginAcceptance::Accepted(login) = flow.accept_login(answer("ada"), Timestamp::EPOCH) else { panic!() };
        assert_eq!(login.authenticated_at, Timestamp::from_unix_seconds(10));
        assert_eq!((login.acr.as_deref(), login.amr.len()), (Some("aal2"), 1));
        assert!(login.remember);
    }

    #[test]
    fn another_user_requires_a_new_login() {
        let flow = flow(Some(remembered()));
        assert_eq!(flow.accept_login(answer("bob"), Timestamp::EPOCH), LoginAcceptance::SignInAgain);
        assert_eq!(flow.query_asking_for_login(), "client_id=shop&state=a+b&prompt=login");
        assert_eq!(flow.accept_login(answer(""), Timestamp::EPOCH), LoginAcceptance::SubjectMissing);
    }

    #[test]
    fn challenges_and_verifiers_are_never_confused() {
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
    fn a_rejection_uses_only_allowed_characters() {
        let rejection = Rejection::new("my error\"", "say \"hi\"\n", "ä");
        assert_eq!(rejection, Rejection { error: "myerror".to_owned(), description: "say 'hi'? ?".to_owned() });
        assert_eq!(Rejection::new("", "", "").error, "access_denied");
    }
}
