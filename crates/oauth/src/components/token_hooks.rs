//! Calls the operator's hooks before tokens are issued. Nothing has been written yet, so a failing hook does not use up a
//! code or a refresh token.

use base::Context;
use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, COOKIE, HeaderName, HeaderValue};
use oauth_types::{GrantType, ScopeSet};
use serde_json::Value;
use web::outbound::Client as HttpClient;

use crate::config::{ApiKeyPlace, Hook};
use crate::domain::claims::TokenSettings;
use crate::domain::client::Client;
use crate::domain::grant::{Grant, GrantSession};
use crate::domain::person_claims::PersonClaims;
use crate::domain::token_hook::{HookAnswer, HookCall, interpret};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    #[error("the token hook denied the request")]
    Denied,
    /// The cause is logged.
    #[error("the token hook failed or returned an invalid response")]
    Failed,
}

pub(crate) struct TokenHooks {
    http: HttpClient,
    token_hook: Option<Hook>,
    refresh_token_hook: Option<Hook>,
    settings: TokenSettings,
}

impl TokenHooks {
    pub(crate) fn new(
        http: HttpClient,
        token_hook: Option<Hook>,
        refresh_token_hook: Option<Hook>,
        settings: TokenSettings,
    ) -> Self {
        Self { http, token_hook, refresh_token_hook, settings }
    }

    /// The session data of a grant as the hooks want it.
    pub(crate) async fn ask_about_grant(
        &self,
        cx: &Context,
        client: &Client,
        grant: &Grant,
        grant_type: GrantType,
    ) -> Result<GrantSession, HookError> {
        let call = HookCall {
            issuer: &self.settings.issuer,
            client_id: &client.id,
            grant_type,
            grant: Some(grant),
            session: &grant.session,
            requested_scope: &grant.requested_scope,
            granted_scope: &grant.scope,
            audience: &grant.audience,
            settings: &self.settings.claims,
            now: cx.now,
        };
        self.call(call).await
    }

    /// The session data of a token for a client that acts for itself.
    pub(crate) async fn ask_about_client(
        &self,
        cx: &Context,
        client: &Client,
        requested_scope: &ScopeSet,
        granted_scope: &ScopeSet,
        audience: &[String],
    ) -> Result<GrantSession, HookError> {
        let call = HookCall {
            issuer: &self.settings.issuer,
            client_id: &client.id,
            grant_type: GrantType::ClientCredentials,
            grant: None,
            session: &GrantSession::default(),
            requested_scope,
            granted_scope,
            audience,
            settings: &self.settings.claims,
            now: cx.now,
        };
        self.call(call).await
    }

    /// The session data as the hooks want it; as it was when there are none.
    async fn call(&self, call: HookCall<'_>) -> Result<GrantSession, HookError> {
        let mut session = call.session.clone();
        if let (Some(hook), GrantType::RefreshToken) = (&self.refresh_token_hook, call.grant_type) {
            session = self.call_hook(hook, call.refresh_body(), session).await?;
        }
        if let Some(hook) = &self.token_hook {
            let body = HookCall { session: &session, ..call }.body();
            session = self.call_hook(hook, body, session).await?;
        }
        Ok(session)
    }

    async fn call_hook(&self, hook: &Hook, body: Value, session: GrantSession) -> Result<GrantSession, HookError> {
        let request = hook_request(hook, &body).ok_or_else(|| failed(hook, &"its URL or API key is malformed"))?;
        let response = self.http.send(request).await.map_err(|error| failed(hook, &error))?;
        match interpret(response.status().as_u16(), response.body()) {
            HookAnswer::Unchanged => Ok(session),
            // The hook received the claims about the user, and returned those to issue.
            HookAnswer::Replaced { access_token, id_token } => {
                Ok(GrantSession { access_token, id_token, person: PersonClaims::default(), ..session })
            }
            HookAnswer::Denied => Err(HookError::Denied),
            HookAnswer::NotUnderstood(why) => Err(failed(hook, &why)),
        }
    }
}

fn failed(hook: &Hook, why: &dyn std::fmt::Display) -> HookError {
    tracing::error!(url = hook.url, %why, "a token hook failed");
    HookError::Failed
}

fn hook_request(hook: &Hook, body: &Value) -> Option<Request<Bytes>> {
    let mut request = Request::post(&hook.url).header(CONTENT_TYPE, "application/json; charset=UTF-8");
    if let Some(key) = &hook.api_key {
        let (name, value) = match key.place {
            ApiKeyPlace::Header => (key.name.parse::<HeaderName>().ok()?, key.value.expose().clone()),
            ApiKeyPlace::Cookie => (COOKIE, format!("{}={}", key.name, key.value.expose())),
        };
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(true);
        request = request.header(name, value);
    }
    request.body(Bytes::from(body.to_string())).ok()
}
