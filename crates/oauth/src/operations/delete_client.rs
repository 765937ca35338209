//! Deletes a client and its grants in one transaction: its tokens are inactive at once.

use base::Context;

use super::save_client::SaveClientError;
use crate::components::Clients;
use crate::domain::client::ClientId;
use crate::domain::event::Event;
use crate::storage::{clients, consents, forced_subjects, revocations};

impl Clients {
    pub(crate) async fn delete(&self, cx: &Context, id: &ClientId) -> Result<(), SaveClientError> {
        let mut tx = self.database.write(cx.tenant).await?;
        if !clients::delete(&mut tx, id).await? {
            return Err(SaveClientError::Unknown);
        }
        revocations::revoke_by_client(&mut tx, id, cx.now).await?;
        consents::delete_by_client(&mut tx, id).await?;
        forced_subjects::delete_by_client(&mut tx, id).await?;
        jobs::append(&mut tx, cx, &[Event::ClientDeleted { client_id: id }]).await?;
        tx.commit().await?;
        Ok(())
    }
}
