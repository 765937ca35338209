//! Deleting an identity: rows, sessions, and all grants in its name, in one transaction.

use base::Context;

use crate::Identity;
use crate::domain::IdentityId;
use crate::domain::event::Event;
use crate::storage::{identities, sessions};

#[derive(Debug, thiserror::Error)]
pub enum DeleteIdentityError {
    #[error("the identity is unknown")]
    Unknown,
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl Identity {
    pub async fn delete_identity(&self, cx: &Context, id: IdentityId) -> Result<(), DeleteIdentityError> {
        let mut tx = self.database.write(cx.tenant).await?;
        // Locked first, as by a login, so that the two cannot deadlock.
        let identity = identities::lock_whole(&mut tx, self.tenant_sealer(cx), id).await?;
        let identity = identity.ok_or(DeleteIdentityError::Unknown)?;
        self.sessions.person_has_ended(&mut tx, cx, id).await?;
        sessions::delete_of_identity(&mut tx, id).await?;
        if !identities::delete(&mut tx, id).await? {
            return Err(DeleteIdentityError::Unknown);
        }
        jobs::append(&mut tx, cx, &[Event::IdentityDeleted((&identity).into())]).await?;
        tx.commit().await?;
        Ok(())
    }
}
