//! Starts a logout, requested by the user or by a client (OpenID Connect RP-Initiated Logout 1.0 section 2).

use base::Context;
use serde_json::{Map, Value};

use crate::OAuth;
use crate::components::challenges::ChallengeError;
use crate::domain::client::{Client, ClientId};
use crate::domain::login_session::{LoginSession, LoginSessionId};
use crate::domain::logout::{LogoutFlow, LogoutRefusal, LogoutRequest, LogoutVerifier};
use crate::storage::{clients, login_sessions};

#[derive(Debug)]
pub enum StartedLogout {
    /// No user is signed in: redirects to the final page.
    NothingToDo { redirect_to: String },
    /// The logout application asks the user to confirm.
    Ask { challenge: String },
    /// The client proved by an ID token that it may log out, and its configuration skips the confirmation.
    Confirmed { verifier: String },
}

#[derive(Debug, thiserror::Error)]
pub enum StartLogoutError {
    #[error("id_token_hint: {0}")]
    Hint(String),
    #[error("client_id is not a registered client")]
    UnknownClient,
    #[error("client_id is not the client that the id_token_hint was issued to")]
    ClientMismatch,
    #[error(transparent)]
    Refused(#[from] LogoutRefusal),
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// The content of an `id_token_hint`.
struct Hint {
    session_id: LoginSessionId,
    client: Client,
}

impl OAuth {
    pub async fn start_logout(
        &self,
        cx: &Context,
        request: &LogoutRequest,
        session: Option<LoginSessionId>,
        request_url: String,
    ) -> Result<StartedLogout, StartLogoutError> {
        let hint = match &request.id_token_hint {
            Some(hint) => Some(self.read_logout_hint(cx, hint).await?),
            None => None,
        };
        let client = self.logout_client(cx, request, hint.as_ref()).await?;
        let registered = client.as_ref().map(|client| client.metadata.post_logout_redirect_uris.as_slice());
        let redirect_to = request.target(registered, &self.config.default_post_logout_url())?;

        let session_id = hint.as_ref().map(|hint| hint.session_id).or(session);
        let found = match session_id {
            Some(id) => login_sessions::find(&mut self.database.read(cx.tenant), id).await?,
            None => None,
        };
        let Some(LoginSession { id, subject, .. }) = found else {
            return Ok(StartedLogout::NothingToDo { redirect_to });
        };
        let unasked = hint.is_some()
            && self.config.urls.logout.is_none()
            && client.as_ref().is_some_and(|client| client.metadata.skip_logout_consent == Some(true));
        let flow = LogoutFlow {
            session_id: id,
            subject,
            client_id: client.map(|client| client.id),
            rp_initiated: hint.is_some(),
            request_url,
            redirect_to,
            requested_at: cx.now,
        };
        Ok(if unasked {
            StartedLogout::Confirmed { verifier: self.challenges.seal(cx, &LogoutVerifier(flow)) }
        } else {
            StartedLogout::Ask { challenge: self.challenges.seal(cx, &flow) }
        })
    }

    async fn read_logout_hint(&self, cx: &Context, hint: &str) -> Result<Hint, StartLogoutError> {
        let invalid = |reason: &str| StartLogoutError::Hint(reason.to_owned());
        let claims = self
            .keys
            .verify_id_token_hint(cx, hint)
            .await
            .map_err(|error| StartLogoutError::Hint(error.to_string()))?;
        let session_id = claims.get("sid").and_then(Value::as_str).and_then(|sid| sid.parse().ok());
        let session_id = session_id.ok_or_else(|| invalid("its 'sid' is missing or not valid"))?;
        for audience in audiences(&claims) {
            if let Some(client) = clients::find(&mut self.database.read(cx.tenant), &audience).await? {
                return Ok(Hint { session_id, client });
            }
        }
        Err(invalid("its audience is not a registered client"))
    }

    /// The client that sent the browser.
    async fn logout_client(
        &self,
        cx: &Context,
        request: &LogoutRequest,
        hint: Option<&Hint>,
    ) -> Result<Option<Client>, StartLogoutError> {
        match (hint, &request.client_id) {
            (Some(hint), Some(id)) if hint.client.id.as_str() != id => Err(StartLogoutError::ClientMismatch),
            (Some(hint), _) => Ok(Some(hint.client.clone())),
            (None, None) => Ok(None),
            (None, Some(id)) => {
                let id = ClientId::parse(id).map_err(|_| StartLogoutError::UnknownClient)?;
                let client = clients::find(&mut self.database.read(cx.tenant), &id).await?;
                client.map(Some).ok_or(StartLogoutError::UnknownClient)
            }
        }
    }

    /// An opened logout challenge.
    pub async fn get_logout_request(
        &self,
        cx: &Context,
        challenge: &str,
    ) -> Result<(LogoutFlow, Option<Client>), ChallengeError> {
        let flow = self.challenges.open_logout(cx, challenge)?;
        let client = match &flow.client_id {
            Some(id) => clients::find(&mut self.database.read(cx.tenant), id).await?,
            None => None,
        };
        Ok((flow, client))
    }

    /// Returns the redirect URL.
    pub fn accept_logout_request(&self, cx: &Context, challenge: &str) -> Result<String, ChallengeError> {
        let flow = self.challenges.open_logout(cx, challenge)?;
        let verifier = self.challenges.seal(cx, &LogoutVerifier(flow));
        Ok(self.config.logout_verifier_url(&verifier))
    }

    pub fn reject_logout_request(&self, cx: &Context, challenge: &str) -> Result<(), ChallengeError> {
        self.challenges.open_logout(cx, challenge).map(|_| ())
    }
}

/// The `aud` claim: a string or a list (RFC 7519 section 4.1.3).
fn audiences(claims: &Map<String, Value>) -> Vec<ClientId> {
    let values = match claims.get("aud") {
        Some(Value::Array(values)) => values.as_slice(),
        Some(value) => std::slice::from_ref(value),
        None => &[],
    };
    values.iter().filter_map(Value::as_str).filter_map(|text| ClientId::parse(text).ok()).collect()
}
