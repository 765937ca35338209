//! Login challenges: `oauth` redirects the browser to a login page with a `login_challenge`. The login page reads the login
//! request and accepts or rejects it. Names and shapes are those of the admin API (`/admin/oauth2/auth/requests/login`), so
//! that it also works over HTTP.

use async_trait::async_trait;
use base::Context;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Unavailable;

#[async_trait]
pub trait LoginRequests: Send + Sync {
    async fn get(&self, cx: &Context, challenge: &str) -> Result<LoginRequest, LoginRequestError>;

    /// Returns the URL to send the browser to.
    async fn accept(&self, cx: &Context, challenge: &str, login: AcceptLogin) -> Result<String, LoginRequestError>;

    /// Returns the URL to send the browser to.
    async fn reject(&self, cx: &Context, challenge: &str, reason: RejectLogin) -> Result<String, LoginRequestError>;
}

#[derive(Debug, thiserror::Error)]
pub enum LoginRequestError {
    /// The challenge was not issued by this service, has expired, or was used.
    #[error("the login challenge is unknown or expired")]
    Unknown,
    /// The acceptance is not valid, for instance without a subject.
    #[error("the login request refuses the answer: {0}")]
    Refused(String),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// The request behind a login challenge.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoginRequest {
    pub challenge: String,
    pub client: LoginClient,
    /// The authorization URL as requested by the client.
    pub request_url: String,
    #[serde(default)]
    pub requested_scope: Vec<String>,
    #[serde(default)]
    pub requested_access_token_audience: Vec<String>,
    /// Whether an earlier login identified the user: the login must be accepted with the same subject and may skip the
    /// form.
    pub skip: bool,
    /// The subject of the earlier login when `skip` is true, else empty.
    #[serde(default)]
    pub subject: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub session_id: Option<String>,
    #[serde(default)]
    pub oidc_context: OidcContext,
}

/// The public view of the client, without secrets.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LoginClient {
    pub client_id: String,
    #[serde(default)]
    pub client_name: String,
    #[serde(default)]
    pub client_uri: String,
    #[serde(default)]
    pub logo_uri: String,
    #[serde(default)]
    pub policy_uri: String,
    #[serde(default)]
    pub tos_uri: String,
    #[serde(default)]
    pub metadata: Map<String, Value>,
    #[serde(default)]
    pub skip_consent: bool,
    /// Every other public member of the client, passed through to the UI.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct OidcContext {
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub acr_values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub display: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id_token_hint_claims: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub login_hint: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub ui_locales: Vec<String>,
}

/// The user is signed in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AcceptLogin {
    pub subject: String,
    pub remember: bool,
    /// Seconds; 0 means the service's default.
    pub remember_for: i64,
    pub acr: String,
    pub amr: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Value>,
    pub extend_session_lifespan: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_subject_identifier: Option<String>,
    /// The session at the identity service, which ends together with the login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_provider_session_id: Option<String>,
}

/// The user is not signed in; the client receives the error.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RejectLogin {
    pub error: String,
    pub error_description: String,
    pub error_hint: String,
    pub error_debug: String,
    pub status_code: i64,
}
