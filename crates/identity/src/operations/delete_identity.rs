//! Deleting a person: rows, sessions, and whatever was granted in their name, in one transaction.

use base::Context;

use crate::Identity;
use crate::domain::IdentityId;
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
        let identity = identities::find(&mut tx, id).await?.ok_or(DeleteIdentityError::Unknown)?;
        self.person_has_ended(&mut tx, cx, id).await?;
        sessions::delete_of_identity(&mut tx, id).await?;
        if !identities::delete(&mut tx, id).await? {
            return Err(DeleteIdentityError::Unknown);
        }
        self.identity_event(&mut tx, cx, "IdentityDeleted", &identity).await?;
        tx.commit().await?;
        Ok(())
    }
}
