//! The consent step of an authorization: what the user allows a client to do (RFC 6749 section 4.1.1, OpenID Connect Core
//! section 3.1.2.4).
//!
//! Invariant: only requested scopes and audiences are granted, so neither a careless consent application nor a remembered
//! consent can extend a request.

use std::time::Duration;

use base::Timestamp;
use base::seal::Purpose;
use oauth_types::{ScopeMatching, ScopeSet};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::authorization_request::AuthorizationRequest;
use super::client::ClientId;
use super::grant::GrantId;
use super::login_challenge::{AcceptedLogin, AuthorizationFlow, Decision};
use super::login_session::LoginSessionId;
use super::sealed::SealedValue;

/// An authorization after login that waits for consent. Sealed, it is the consent challenge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConsentFlow {
    #[serde(rename = "f")]
    pub flow: AuthorizationFlow,
    #[serde(rename = "l")]
    pub login: AcceptedLogin,
    /// The expected content of the browser's consent cookie.
    #[serde(rename = "b")]
    pub csrf: String,
    /// An earlier consent covers this request.
    #[serde(rename = "k")]
    pub skip: bool,
}

impl SealedValue for ConsentFlow {
    const PURPOSE: Purpose = Purpose("oauth consent challenge");
}

/// The decision of the consent application, passed back through the browser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConsentVerifier {
    #[serde(rename = "c")]
    pub consent: ConsentFlow,
    #[serde(rename = "d")]
    pub decision: Decision<AcceptedConsent>,
}

impl SealedValue for ConsentVerifier {
    const PURPOSE: Purpose = Purpose("oauth consent verifier");
}

/// The consent application's acceptance.
#[derive(Clone, Debug, Default)]
pub struct AcceptConsent {
    pub grant_scope: Vec<String>,
    pub grant_access_token_audience: Vec<String>,
    pub remember: bool,
    /// Seconds; 0 for unlimited.
    pub remember_for: u64,
    pub session: ConsentSession,
    pub context: Option<Value>,
}

/// Claims that the consent application adds to the tokens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConsentSession {
    #[serde(default)]
    pub access_token: Map<String, Value>,
    #[serde(default)]
    pub id_token: Map<String, Value>,
}

/// What the user agreed to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AcceptedConsent {
    #[serde(rename = "s")]
    pub scope: ScopeSet,
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String>,
    #[serde(rename = "r")]
    pub remember: bool,
    #[serde(rename = "f")]
    pub remember_for: u64,
    #[serde(rename = "n")]
    pub session: ConsentSession,
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Value>,
    #[serde(rename = "h")]
    pub handled_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsentRefusal {
    #[error("the scope '{0}' was not requested")]
    ScopeNotRequested(String),
    #[error("the audience '{0}' was not requested")]
    AudienceNotRequested(String),
}

/// Validates an acceptance against the request.
pub fn accept(
    request: &AuthorizationRequest,
    answer: AcceptConsent,
    now: Timestamp,
) -> Result<AcceptedConsent, ConsentRefusal> {
    let scope: ScopeSet = answer.grant_scope.iter().collect();
    if let Some(extra) = scope.iter().find(|scope| !request.scope.contains(scope)) {
        return Err(ConsentRefusal::ScopeNotRequested(extra.to_owned()));
    }
    if let Some(extra) = answer.grant_access_token_audience.iter().find(|value| !request.audience.contains(value)) {
        return Err(ConsentRefusal::AudienceNotRequested(extra.clone()));
    }
    Ok(AcceptedConsent {
        scope,
        audience: answer.grant_access_token_audience,
        remember: answer.remember,
        remember_for: answer.remember_for,
        session: answer.session,
        context: answer.context,
        handled_at: now,
    })
}

/// A consent: listed for operators, and reused for later requests when it is remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct Consent {
    pub id: GrantId,
    pub subject: String,
    pub client_id: ClientId,
    pub login_session_id: Option<LoginSessionId>,
    pub scope: ScopeSet,
    pub audience: Vec<String>,
    pub remember: bool,
    pub remember_for: u64,
    pub handled_at: Timestamp,
    pub expires_at: Timestamp,
}

/// The remaining data of a consent, used only by the admin API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConsentDetails {
    pub flow: AuthorizationFlow,
    pub login: AcceptedLogin,
    pub session: ConsentSession,
    #[serde(default)]
    pub context: Option<Value>,
}

impl Consent {
    /// Whether this consent covers the request. Audiences are included: consent to call one API is not consent to call
    /// another.
    pub fn covers(&self, request: &AuthorizationRequest, matching: ScopeMatching, now: Timestamp) -> bool {
        self.remember
            && now < self.expires_at
            && self.scope.first_uncovered(&request.scope, matching).is_none()
            && request.audience.iter().all(|audience| self.audience.contains(audience))
    }
}

/// Until when a consent is remembered; one that is not remembered stays listed as long as its tokens may be valid.
pub fn expires_at(consent: &AcceptedConsent, requested_at: Timestamp, grant_expires_at: Timestamp) -> Timestamp {
    match (consent.remember, consent.remember_for) {
        (true, 0) => Timestamp::MAX,
        (true, seconds) => requested_at.plus(Duration::from_secs(seconds)),
        (false, _) => grant_expires_at,
    }
}

#[cfg(test)]
mod tests {
    use oauth_types::{Parameters, ResponseMode};
    use uuid::Uuid;

    use super::super::authorization_request::ResponseTarget;
    use super::*;

    fn request(query: &str) -> AuthorizationRequest {
        let target = ResponseTarget { redirect_uri: String::new(), mode: ResponseMode::Query, state: None };
        let query = format!("response_type=code&{query}");
        AuthorizationRequest::interpret(&Parameters::parse(query.as_bytes()).unwrap(), target).unwrap()
    }

    fn answer(scope: &[&str], audience: &[&str]) -> AcceptConsent {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        AcceptConsent { grant_scope: owned(scope), grant_access_token_audience: owned(audience), ..Default::default() }
    }

    #[test]
    fn only_what_was_requested_can_be_granted() {
        let request = request("scope=openid+photos.read&audience=https://api.example");
        let now = Timestamp::EPOCH;
        assert!(accept(&request, answer(&["openid"], &["https://api.example"]), now).is_ok());
        assert!(accept(&request, answer(&[], &[]), now).is_ok());
        let wider = accept(&request, answer(&["photos.write"], &[]), now);
        assert_eq!(wider, Err(ConsentRefusal::ScopeNotRequested("photos.write".to_owned())));
        let elsewhere = accept(&request, answer(&[], &["https://other.example"]), now);
        assert_eq!(elsewhere, Err(ConsentRefusal::AudienceNotRequested("https://other.example".to_owned())));
    }

    #[test]
    fn remembered_consent_covers_scopes_and_audiences_until_it_expires() {
        let consent = Consent {
            id: GrantId::from_uuid(Uuid::nil()),
            subject: "ada".to_owned(),
            client_id: ClientId::parse("shop").unwrap(),
            login_session_id: None,
            scope: ScopeSet::parse("openid photos.*"),
            audience: vec!["https://api.example".to_owned()],
            remember: true,
            remember_for: 60,
            handled_at: Timestamp::EPOCH,
            expires_at: Timestamp::from_unix_seconds(60),
        };
        let covers = |consent: &Consent, query: &str, seconds| {
            consent.covers(&request(query), ScopeMatching::Wildcard, Timestamp::from_unix_seconds(seconds))
        };
        assert!(covers(&consent, "scope=photos.read&audience=https://api.example", 59));
        assert!(!covers(&consent, "scope=photos.read&audience=https://api.example", 60));
        assert!(!covers(&consent, "scope=mail", 1));
        assert!(!covers(&consent, "scope=openid&audience=https://other.example", 1));
        assert!(!covers(&Consent { remember: false, ..consent }, "scope=openid", 1));
    }
}
