//! The contracts that this service implements for other services in the same process: login challenges, the connections of
//! a user, and notifications of the end of a session or an account.

use async_trait::async_trait;
use base::Context;
use contracts::{
    AcceptLogin, Connection, Connections, LoginClient, LoginRequest, LoginRequestError, LoginRequests, MAX_CONNECTIONS,
    OidcContext, RejectLogin, SubjectObserver, SubjectObserverError, Unavailable,
};
use database::WriteTx;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::consent_sessions::RevokeConsents;
use crate::OAuth;
use crate::components::challenges::ChallengeError;
use crate::components::login_sessions::Cause;
use crate::domain::client::{Client, ClientId};
use crate::domain::login_challenge;
use crate::domain::rejection::Rejection;

#[async_trait]
impl LoginRequests for OAuth {
    async fn get(&self, cx: &Context, challenge: &str) -> Result<LoginRequest, LoginRequestError> {
        let found = self.get_login_request(cx, challenge).await?;
        let request = found.flow.request().map_err(|_| LoginRequestError::Unknown)?;
        let skip = found.flow.skip();
        Ok(LoginRequest {
            challenge: challenge.to_owned(),
            client: login_client(&found.client),
            request_url: found.request_url,
            requested_scope: request.scope.as_slice().to_vec(),
            requested_access_token_audience: request.audience,
            skip,
            subject: found.flow.remembered.map(|remembered| remembered.subject).unwrap_or_default(),
            session_id: Some(found.flow.session_id.to_string()),
            oidc_context: OidcContext {
                acr_values: request.acr_values,
                display: request.display,
                id_token_hint_claims: found.flow.hint_claims,
                login_hint: request.login_hint,
                ui_locales: request.ui_locales,
            },
        })
    }

    async fn accept(&self, cx: &Context, challenge: &str, login: AcceptLogin) -> Result<String, LoginRequestError> {
        let present = |text: String| Some(text).filter(|text| !text.is_empty());
        let answer = login_challenge::AcceptLogin {
            subject: login.subject,
            remember: login.remember,
            remember_for: u64::try_from(login.remember_for)
                .map_err(|_| LoginRequestError::Refused("remember_for: must not be negative".to_owned()))?,
            extend_session_lifespan: login.extend_session_lifespan,
            acr: present(login.acr),
            amr: login.amr,
            context: login.context,
            force_subject_identifier: login.force_subject_identifier,
            identity_provider_session_id: login.identity_provider_session_id,
        };
        Ok(self.accept_login_request(cx, challenge, answer)?)
    }

    async fn reject(&self, cx: &Context, challenge: &str, reason: RejectLogin) -> Result<String, LoginRequestError> {
        let rejection = Rejection::new(&reason.error, &reason.error_description, &reason.error_hint);
        Ok(self.reject_login_request(cx, challenge, rejection)?)
    }
}

impl From<ChallengeError> for LoginRequestError {
    fn from(error: ChallengeError) -> Self {
        match error {
            ChallengeError::Unknown | ChallengeError::Expired | ChallengeError::Used { .. } => Self::Unknown,
            ChallengeError::Refused(reason) => Self::Refused(reason),
            ChallengeError::Database(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a login challenge could not be read");
                Self::Unavailable(Unavailable::new("oauth", error))
            }
        }
    }
}

/// A client without its secrets, with all members that a login application may use.
fn login_client(client: &Client) -> LoginClient {
    let mut rest = match serde_json::to_value(&client.metadata) {
        Ok(Value::Object(members)) => members,
        Ok(_) | Err(_) => Map::new(),
    };
    for name in ["client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri", "skip_consent"] {
        rest.shift_remove(name);
    }
    let metadata = match rest.shift_remove("metadata") {
        Some(Value::Object(members)) => members,
        Some(_) | None => Map::new(),
    };
    let members = &client.metadata;
    LoginClient {
        client_id: client.id.to_string(),
        client_name: members.client_name.clone(),
        client_uri: members.client_uri.clone(),
        logo_uri: members.logo_uri.clone(),
        policy_uri: members.policy_uri.clone(),
        tos_uri: members.tos_uri.clone(),
        metadata,
        skip_consent: members.skip_consent,
        rest,
    }
}

#[async_trait]
impl Connections for OAuth {
    async fn list(&self, cx: &Context, subject: &str) -> Result<Vec<Connection>, Unavailable> {
        let connected = self.connected_clients(cx, subject, MAX_CONNECTIONS).await.map_err(unavailable)?;
        let connection = |(client, consented_at): (Client, _)| Connection {
            client_id: client.id.to_string(),
            client_name: client.metadata.client_name,
            consented_at,
        };
        Ok(connected.into_iter().map(connection).collect())
    }

    async fn end(&self, cx: &Context, subject: &str, client_id: &str) -> Result<(), Unavailable> {
        // An invalid client id identifies no client.
        let Ok(client) = ClientId::parse(client_id) else { return Ok(()) };
        let which = RevokeConsents::OfSubjectAndClient(subject.to_owned(), client);
        self.revoke_consents(cx, &which).await.map_err(unavailable)
    }
}

fn unavailable(error: database::Error) -> Unavailable {
    tracing::error!(error = &error as &dyn std::error::Error, "the consents of a user could not be read");
    Unavailable::new("oauth", error)
}

#[async_trait]
impl SubjectObserver for OAuth {
    async fn sessions_ended(
        &self,
        cx: &Context,
        tx: &mut WriteTx,
        sessions: &[Uuid],
    ) -> Result<(), SubjectObserverError> {
        let ids: Vec<String> = sessions.iter().map(Uuid::to_string).collect();
        self.login_sessions.end(cx, tx, Cause::IdentitySessionsEnded(&ids)).await?;
        Ok(())
    }

    async fn subject_ended(&self, cx: &Context, tx: &mut WriteTx, subject: &str) -> Result<(), SubjectObserverError> {
        self.login_sessions.end(cx, tx, Cause::SubjectEnded(subject)).await?;
        Ok(())
    }
}
