//! What must end when a session or a person ends: told by `identity` to `oauth`, inside the transaction that ends it, so
//! that logins, grants and tokens are gone at the same instant.

use async_trait::async_trait;
use base::Context;
use database::WriteTx;
use uuid::Uuid;

#[async_trait]
pub trait SubjectObserver: Send + Sync {
    /// A session was revoked or signed out: end the logins that rest on it, and their grants.
    async fn session_ended(&self, cx: &Context, tx: &mut WriteTx, session_id: Uuid)
    -> Result<(), SubjectObserverError>;

    /// A person was deleted or disabled: end everything that was granted in that person's name.
    async fn subject_ended(&self, cx: &Context, tx: &mut WriteTx, subject: &str) -> Result<(), SubjectObserverError>;
}

/// The other service could not record the end; the caller's transaction must not commit.
#[derive(Debug, thiserror::Error)]
#[error("what depends on the subject could not be ended")]
pub struct SubjectObserverError(#[from] pub database::Error);
