//! The documents of the admin API: clients, login requests, consent requests and sessions. Lists are never `null`.

use base::{PlainToken, Secret, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::domain::authorization_request::AuthorizationRequest;
use crate::domain::client::{Client, ClientMetadata};
use crate::domain::consent::ConsentFlow;
use crate::domain::login_challenge::AuthorizationFlow;
use crate::domain::logout::LogoutFlow;
use crate::operations::consent_requests::ConsentChallenge;
use crate::operations::consent_sessions::ConsentRecord;
use crate::operations::login_requests::LoginChallenge;

/// A client (`oAuth2Client`). Values that are returned only once are added by `with_*`.
#[derive(Debug, Serialize)]
pub(super) struct ClientDocument<'a> {
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    client_secret_expires_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_access_token: Option<&'a str>,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(flatten)]
    metadata: &'a ClientMetadata,
}

impl<'a> ClientDocument<'a> {
    pub(super) fn of(client: &'a Client) -> Self {
        Self {
            client_id: client.id.as_str(),
            client_secret: None,
            client_secret_expires_at: 0,
            registration_access_token: None,
            created_at: client.created_at.truncated_to_seconds(),
            updated_at: client.updated_at.truncated_to_seconds(),
            metadata: &client.metadata,
        }
    }

    pub(super) fn with_secret(mut self, secret: Option<&'a Secret<String>>) -> Self {
        self.client_secret = secret.map(|secret| secret.expose().as_str());
        self
    }

    /// No URL is returned with the token, because no endpoint serves it yet (RFC 7592 section 3 requires the client's own
    /// URL).
    pub(super) fn with_registration(mut self, token: &'a PlainToken) -> Self {
        self.registration_access_token = Some(token.expose());
        self
    }

    pub(super) fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// `oAuth2LoginRequest`.
pub(super) fn login_request(challenge: &str, found: &LoginChallenge, request: &AuthorizationRequest) -> Value {
    let flow = &found.flow;
    json!({
        "challenge": challenge,
        "requested_scope": request.scope.as_slice(),
        "requested_access_token_audience": request.audience,
        "skip": flow.skip(),
        "subject": flow.remembered.as_ref().map_or("", |remembered| remembered.subject.as_str()),
        "oidc_context": oidc_context(flow, request),
        "client": ClientDocument::of(&found.client).to_value(),
        "request_url": found.request_url,
        "session_id": flow.session_id,
    })
}

/// `oAuth2ConsentRequest`.
pub(super) fn consent_request(challenge: &str, found: &ConsentChallenge) -> Value {
    consent_document(challenge, &found.consent, &found.request, Some(&found.client), &found.request_url)
}

fn consent_document(
    challenge: &str,
    consent: &ConsentFlow,
    request: &AuthorizationRequest,
    client: Option<&Client>,
    request_url: &str,
) -> Value {
    let (flow, login) = (&consent.flow, &consent.login);
    json!({
        "challenge": challenge,
        "consent_request_id": flow.id.as_uuid().simple().to_string(),
        "requested_scope": request.scope.as_slice(),
        "requested_access_token_audience": request.audience,
        "skip": consent.skip,
        "subject": login.subject,
        "oidc_context": oidc_context(flow, request),
        "client": client.map(|client| ClientDocument::of(client).to_value()),
        "request_url": request_url,
        "login_challenge": flow.id.as_uuid().simple().to_string(),
        "login_session_id": flow.session_id,
        "acr": login.acr.as_deref().unwrap_or_default(),
        "amr": login.amr,
        "context": login.context,
    })
}

fn oidc_context(flow: &AuthorizationFlow, request: &AuthorizationRequest) -> Value {
    let mut context = Map::new();
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            context.insert(name.to_owned(), value);
        }
    };
    let list = |values: &[String]| (!values.is_empty()).then(|| json!(values));
    add("acr_values", list(&request.acr_values));
    add("display", request.display.as_deref().map(Value::from));
    add("id_token_hint_claims", flow.hint_claims.clone().map(Value::Object));
    add("login_hint", request.login_hint.as_deref().map(Value::from));
    add("ui_locales", list(&request.ui_locales));
    Value::Object(context)
}

/// `oAuth2ConsentSession`. The challenge was redeemed and is omitted.
pub(super) fn consent_session(record: ConsentRecord) -> Value {
    let ConsentRecord { consent, details, client, request_url } = record;
    let flow = ConsentFlow { flow: details.flow, login: details.login, csrf: String::new(), skip: false };
    let request = flow.flow.request().ok();
    let request = request.map(|request| consent_document("", &flow, &request, client.as_ref(), &request_url));
    json!({
        "consent_request": request,
        "consent_request_id": consent.id.as_uuid().simple().to_string(),
        "grant_scope": consent.scope.as_slice(),
        "grant_access_token_audience": consent.audience,
        "session": details.session,
        "remember": consent.remember,
        "remember_for": consent.remember_for,
        "handled_at": consent.handled_at.truncated_to_seconds(),
        "context": details.context.unwrap_or_else(|| json!({})),
    })
}

/// `oAuth2LogoutRequest`.
pub(super) fn logout_request(
    challenge: &str,
    flow: &LogoutFlow,
    client: Option<&Client>,
    expires_at: Timestamp,
) -> Value {
    json!({
        "challenge": challenge,
        "subject": flow.subject,
        "sid": flow.session_id,
        "request_url": flow.request_url,
        "rp_initiated": flow.rp_initiated,
        "requested_at": flow.requested_at.truncated_to_seconds(),
        "expires_at": expires_at.truncated_to_seconds(),
        "client": client.map(|client| ClientDocument::of(client).to_value()),
    })
}
