//! Connected applications: the clients that a person gave consent to, as `oauth` knows them. `identity` shows them to the
//! person and ends one when asked. Another process is asked through the admin API
//! (`/admin/oauth2/auth/sessions/consent`).

use async_trait::async_trait;
use base::{Context, Timestamp};

use crate::Unavailable;

/// As many clients as a person can look through.
pub const MAX_CONNECTIONS: usize = 100;

#[async_trait]
pub trait Connections: Send + Sync {
    /// The clients that hold a consent of `subject`, each once, the one with the newest consent first; at most
    /// [`MAX_CONNECTIONS`].
    async fn list(&self, cx: &Context, subject: &str) -> Result<Vec<Connection>, Unavailable>;

    /// Ends the consent that `subject` gave the client, and the tokens that it led to. A client without one is no error.
    async fn end(&self, cx: &Context, subject: &str, client_id: &str) -> Result<(), Unavailable>;
}

/// A client that acts for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub client_id: String,
    /// Text of whoever registered the client; may be empty.
    pub client_name: String,
    /// When the newest consent was given.
    pub consented_at: Timestamp,
}
