//! Sessions of an identity service in another process: checked at its public listener, ended at its admin listener.

use std::sync::Arc;

use async_trait::async_trait;
use base::{Context, Timestamp};
use bytes::Bytes;
use contracts::{ActiveSession, SessionCheck, SessionCredentials, Sessions, Unavailable};
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::RemoteService;

const X_SESSION_TOKEN: HeaderName = HeaderName::from_static("x-session-token");

pub(super) struct RemoteSessions {
    /// Without it sessions outlive the logins that depend on them.
    admin: Option<RemoteService>,
    /// Without it no session is checked.
    public: Option<RemoteService>,
}

impl RemoteSessions {
    pub(super) fn new(admin: Option<RemoteService>, public: Option<RemoteService>) -> Self {
        Self { admin, public }
    }
}

#[async_trait]
impl Sessions for RemoteSessions {
    /// The other service answers an unknown cookie and a missing one in the same way. Only it knows which of all cookies is its
    /// own, so cookies that it does not accept count as missing.
    async fn check(&self, cx: &Context, credentials: &SessionCredentials) -> Result<SessionCheck, Unavailable> {
        let Some(public) = &self.public else { return Ok(SessionCheck::Absent) };
        let headers = headers(credentials);
        if headers.is_empty() {
            return Ok(SessionCheck::Absent);
        }
        let has_token = credentials.session_token.is_some() || credentials.bearer.is_some();
        let url = public.url("/sessions/whoami", &[]);
        let answer = public.ask(cx, Method::GET, &url, headers, None).await?;
        match answer.status() {
            StatusCode::OK => read(public, &url, &answer),
            StatusCode::UNAUTHORIZED if has_token => Ok(SessionCheck::Invalid),
            StatusCode::UNAUTHORIZED => Ok(SessionCheck::Absent),
            StatusCode::FORBIDDEN => Ok(SessionCheck::NeedsSecondFactor),
            _ => Err(public.strange(&url, &answer, "the session could not be checked")),
        }
    }

    async fn end(&self, cx: &Context, session_id: Uuid) -> Result<(), Unavailable> {
        let Some(admin) = &self.admin else { return Ok(()) };
        let url = admin.url(&format!("/admin/sessions/{session_id}"), &[]);
        let answer = admin.ask(cx, Method::DELETE, &url, HeaderMap::new(), None).await?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            // It has ended already, which is the wanted state.
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(()),
            _ => Err(admin.strange(&url, &answer, "the session could not be ended")),
        }
    }
}

/// The credentials of the request as headers. A value that is not a valid header is no credential.
fn headers(credentials: &SessionCredentials) -> HeaderMap {
    let session_token = credentials.session_token.as_ref().map(|token| token.expose().to_owned());
    let bearer = credentials.bearer.as_ref().map(|token| format!("Bearer {}", token.expose()));
    let brought = [(X_SESSION_TOKEN, session_token), (COOKIE, credentials.cookie.clone()), (AUTHORIZATION, bearer)];
    let sent = brought.into_iter().filter_map(|(name, value)| {
        let mut value = HeaderValue::try_from(value?).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    });
    sent.collect()
}

/// The needed members of a session.
#[derive(Deserialize)]
struct Whoami {
    id: Uuid,
    #[serde(default)]
    active: bool,
    authenticated_at: Timestamp,
    expires_at: Timestamp,
    authenticator_assurance_level: String,
    #[serde(default)]
    authentication_methods: Vec<AuthenticationMethod>,
    identity: Person,
}

#[derive(Deserialize)]
struct AuthenticationMethod {
    method: String,
}

#[derive(Deserialize)]
struct Person {
    id: Uuid,
}

fn read(public: &RemoteService, url: &Url, answer: &Response<Bytes>) -> Result<SessionCheck, Unavailable> {
    let strange = || public.strange(url, answer, "the answer is not a session");
    let whoami: Value = serde_json::from_slice(answer.body()).map_err(|_| strange())?;
    let session = Whoami::deserialize(&whoami).map_err(|_| strange())?;
    if !session.active {
        return Ok(SessionCheck::Invalid);
    }
    Ok(SessionCheck::Active(Box::new(ActiveSession {
        session_id: session.id,
        identity_id: session.identity.id,
        authenticated_at: session.authenticated_at,
        expires_at: session.expires_at,
        aal: session.authenticator_assurance_level,
        amr: session.authentication_methods.into_iter().map(|it| it.method).collect(),
        whoami: Arc::new(whoami),
    })))
}
