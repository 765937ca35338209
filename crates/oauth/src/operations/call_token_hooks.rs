//! Calls the operator's hooks before tokens are issued. Nothing has been written yet, so a failing hook does not use up a
//! code or a refresh token.

use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, COOKIE, HeaderName, HeaderValue};
use oauth_types::GrantType;
use serde_json::Value;

use crate::OAuth;
use crate::config::{ApiKeyPlace, Hook};
use crate::domain::grant::GrantSession;
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

impl OAuth {
    /// The session data after the hooks; unchanged without hooks.
    pub(super) async fn call_token_hooks(&self, call: HookCall<'_>) -> Result<GrantSession, HookError> {
        let oauth2 = &self.config().oauth2;
        let mut session = call.session.clone();
        if let (Some(hook), GrantType::RefreshToken) = (&oauth2.refresh_token_hook, call.grant_type) {
            session = self.call_hook(hook, call.refresh_body(), session).await?;
        }
        if let Some(hook) = &oauth2.token_hook {
            let body = HookCall { session: &session, ..call }.body();
            session = self.call_hook(hook, body, session).await?;
        }
        Ok(session)
    }

    async fn call_hook(&self, hook: &Hook, body: Value, session: GrantSession) -> Result<GrantSession, HookError> {
        let request = hook_request(hook, &body).ok_or_else(|| failed(hook, &"its URL or API key is malformed"))?;
        let response = self.http().send(request).await.map_err(|error| failed(hook, &error))?;
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
