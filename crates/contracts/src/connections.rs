//! Connected applications: the clients that a user has granted consent to. `oauth` implements the trait; `identity` lists
//! the clients to the user and revokes one on request. In another process the admin API serves it
//! (`/admin/oauth2/auth/sessions/consent`).

use async_trait::async_trait;
use base::{Context, Timestamp};

use crate::Unavailable;

/// The most clients that are listed.
pub const MAX_CONNECTIONS: usize = 100;

#[async_trait]
pub trait Connections: Send + Sync {
    /// The clients with a consent of `subject`, each once, newest consent first; at most [`MAX_CONNECTIONS`].
    async fn list(&self, cx: &Context, subject: &str) -> Result<Vec<Connection>, Unavailable>;

    /// Revokes the consent that `subject` gave the client, and the tokens issued under it. A client without consent is not
    /// an error.
    async fn end(&self, cx: &Context, subject: &str, client_id: &str) -> Result<(), Unavailable>;
}

/// A client that acts on behalf of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub client_id: String,
    /// As registered by the client's owner; may be empty.
    pub client_name: String,
    /// The time of the newest consent.
    pub consented_at: Timestamp,
}
