//! Consents of an authorization server in another process: `/admin/oauth2/auth/sessions/consent`.

use async_trait::async_trait;
use base::{Context, Timestamp};
use contracts::{Connection, Connections, MAX_CONNECTIONS, Unavailable};
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use url::Url;

use super::RemoteService;

const PATH: &str = "/admin/oauth2/auth/sessions/consent";
/// Only one page is requested: a person with more consents sees the clients of the newest ones.
const PAGE_SIZE: &str = "100";

pub(super) struct RemoteConnections(RemoteService);

impl RemoteConnections {
    pub(super) fn new(remote: RemoteService) -> Self {
        Self(remote)
    }

    fn url(&self, query: &[(&str, &str)]) -> Url {
        self.0.url(PATH, query)
    }
}

/// The needed members of a consent session.
#[derive(Deserialize)]
struct ConsentSession {
    #[serde(default)]
    handled_at: Option<Timestamp>,
    #[serde(default)]
    consent_request: Option<ConsentRequest>,
}

#[derive(Deserialize)]
struct ConsentRequest {
    #[serde(default)]
    client: Option<Client>,
}

#[derive(Deserialize)]
struct Client {
    client_id: String,
    #[serde(default)]
    client_name: Option<String>,
}

#[async_trait]
impl Connections for RemoteConnections {
    async fn list(&self, cx: &Context, subject: &str) -> Result<Vec<Connection>, Unavailable> {
        let url = self.url(&[("subject", subject), ("page_size", PAGE_SIZE)]);
        let answer = self.0.ask(cx, Method::GET, &url, HeaderMap::new(), None).await?;
        match answer.status() {
            StatusCode::OK => {}
            // Old versions of the replaced program answer so for a person without consents.
            StatusCode::NOT_FOUND => return Ok(Vec::new()),
            _ => return Err(self.0.strange(&url, &answer, "the consents could not be listed")),
        }
        let sessions: Vec<ConsentSession> = serde_json::from_slice(answer.body())
            .map_err(|_| self.0.strange(&url, &answer, "the answer is not a list of consents"))?;
        let mut connections: Vec<Connection> = Vec::new();
        for session in sessions {
            let Some(client) = session.consent_request.and_then(|request| request.client) else { continue };
            // The newest consents come first.
            let is_listed = connections.iter().any(|known| known.client_id == client.client_id);
            if !is_listed && connections.len() < MAX_CONNECTIONS {
                connections.push(Connection {
                    client_id: client.client_id,
                    client_name: client.client_name.unwrap_or_default(),
                    consented_at: session.handled_at.unwrap_or(Timestamp::EPOCH),
                });
            }
        }
        Ok(connections)
    }

    async fn end(&self, cx: &Context, subject: &str, client_id: &str) -> Result<(), Unavailable> {
        let url = self.url(&[("subject", subject), ("client", client_id)]);
        let answer = self.0.ask(cx, Method::DELETE, &url, HeaderMap::new(), None).await?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            // There is no consent, which is the wanted state.
            StatusCode::NOT_FOUND => Ok(()),
            _ => Err(self.0.strange(&url, &answer, "the consent could not be ended")),
        }
    }
}
