//! Notifications from `identity` to `oauth` that a session or an identity ends. They run inside the transaction that ends
//! it, so that logins, grants and tokens end atomically with it.

use async_trait::async_trait;
use base::Context;
use database::WriteTx;
use uuid::Uuid;

#[async_trait]
pub trait SubjectObserver: Send + Sync {
    /// Sessions were revoked or signed out: end the logins that are based on them, and their grants.
    async fn sessions_ended(
        &self,
        cx: &Context,
        tx: &mut WriteTx,
        sessions: &[Uuid],
    ) -> Result<(), SubjectObserverError>;

    /// An identity was deleted or disabled: end every grant of that identity.
    async fn subject_ended(&self, cx: &Context, tx: &mut WriteTx, subject: &str) -> Result<(), SubjectObserverError>;
}

/// The other service could not record the end; the caller must roll back its transaction.
#[derive(Debug, thiserror::Error)]
#[error("cannot end the logins and consents of the subject")]
pub struct SubjectObserverError(#[from] pub database::Error);
