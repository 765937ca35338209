//! The gateway's own access token for the introspection request, from the client credentials grant (RFC 6749 section 4.4).
//! It is cached until shortly before it expires.

use std::time::Duration;

use arc_swap::ArcSwapOption;
use base::{Secret, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use schemars::JsonSchema;
use serde::Deserialize;
use web::outbound::Limits;

use super::{Outcome, Services};
use crate::domain::failure::{Failure, Fault};

#[derive(Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    /// Whether introspection requests carry a token of the client credentials grant.
    enabled: bool,
    /// The client that gets the token.
    client_id: String,
    /// The secret of the client.
    client_secret: Secret<String>,
    /// The token endpoint.
    token_url: String,
    /// The audience of the token.
    audience: String,
    /// The scope of the token.
    scope: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: false,
            client_id: String::new(),
            client_secret: Secret::new(String::new()),
            token_url: String::new(),
            audience: String::new(),
            scope: Vec::new(),
        }
    }
}

#[derive(Debug)]
pub(super) struct PreAuthorization {
    uri: Uri,
    credentials: HeaderValue,
    form: String,
    token: ArcSwapOption<Token>,
    asking: tokio::sync::Mutex<()>,
}

struct Token {
    authorization: HeaderValue,
    renew_at: Timestamp,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[token]")
    }
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

const LIMITS: Limits = Limits { timeout: Duration::from_secs(5), max_bytes: 1 << 16 };

impl PreAuthorization {
    /// `None` when disabled.
    pub(super) fn compile(settings: Settings) -> Result<Option<Self>, String> {
        if !settings.enabled {
            return Ok(None);
        }
        for (name, value) in [
            ("client_id", &settings.client_id),
            ("client_secret", settings.client_secret.expose()),
            ("token_url", &settings.token_url),
        ] {
            if value.is_empty() {
                return Err(format!("requires the setting `pre_authorization.{name}`"));
            }
        }
        let uri = settings
            .token_url
            .parse()
            .map_err(|_| "has a `pre_authorization.token_url` that is not a URL".to_owned())?;
        // RFC 6749 section 2.3.1: both are form-encoded before they are used as Basic credentials.
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encode(&settings.client_id), encode(settings.client_secret.expose()));
        let mut credentials = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair)))
            .map_err(|_| "has credentials that are not a valid header value".to_owned())?;
        credentials.set_sensitive(true);
        let mut form = vec![("grant_type", "client_credentials".to_owned())];
        if !settings.scope.is_empty() {
            form.push(("scope", settings.scope.join(" ")));
        }
        if !settings.audience.is_empty() {
            form.push(("audience", settings.audience));
        }
        let form = serde_urlencoded::to_string(form).map_err(|error| error.to_string())?;
        let (token, asking) = (ArcSwapOption::empty(), tokio::sync::Mutex::new(()));
        Ok(Some(Self { uri, credentials, form, token, asking }))
    }

    /// The value of `Authorization` for the introspection call.
    pub(super) async fn authorization(&self, services: &Services, now: Timestamp) -> Result<HeaderValue, Outcome> {
        let fresh = || self.token.load_full().filter(|token| token.renew_at > now).map(|it| it.authorization.clone());
        if let Some(authorization) = fresh() {
            return Ok(authorization);
        }
        let _only_one = self.asking.lock().await;
        if let Some(authorization) = fresh() {
            return Ok(authorization);
        }
        let token = self
            .request_token(services, now)
            .await
            .map_err(|reason| Outcome::Unavailable(Failure::internal(reason).blaming(Fault::Upstream)))?;
        let authorization = token.authorization.clone();
        self.token.store(Some(std::sync::Arc::new(token)));
        Ok(authorization)
    }

    async fn request_token(&self, services: &Services, now: Timestamp) -> Result<Token, String> {
        let mut request = Request::new(Bytes::from(self.form.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().insert(AUTHORIZATION, self.credentials.clone());
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let answer = services.http.with_limits(LIMITS).send(request).await;
        let answer = answer.map_err(|error| format!("cannot get an access token for introspection: {error}"))?;
        if answer.status() != StatusCode::OK {
            return Err(format!("cannot get an access token for introspection: status {}", answer.status().as_u16()));
        }
        let response: TokenResponse = serde_json::from_slice(answer.body())
            .map_err(|_| "the token endpoint's response is not valid".to_owned())?;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", response.access_token))
            .map_err(|_| "the access token is not a valid header value".to_owned())?;
        authorization.set_sensitive(true);
        // Renew after nine tenths of the lifetime, so that the token does not expire in transit.
        let lifetime = Duration::from_secs(response.expires_in.unwrap_or(60));
        Ok(Token { authorization, renew_at: now.plus(lifetime.mul_f32(0.9)) })
    }
}
