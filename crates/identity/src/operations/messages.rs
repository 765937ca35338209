//! Reading the courier's messages for the admin API.

use base::{Context, Page, PageRequest};

use crate::Identity;
use crate::domain::message_queue::{Dispatch, Message, MessageId, MessageStatus};
use crate::storage::messages::{self, ListKey};

impl Identity {
    pub async fn list_messages(
        &self,
        cx: &Context,
        status: Option<MessageStatus>,
        recipient: Option<&str>,
        page: &PageRequest<ListKey>,
    ) -> Result<Page<Message, ListKey>, database::Error> {
        messages::list(&mut self.database.read(cx.tenant), self.tenant_sealer(cx), status, recipient, page).await
    }

    /// A message and all attempts to deliver it.
    pub async fn get_message(
        &self,
        cx: &Context,
        id: MessageId,
    ) -> Result<Option<(Message, Vec<Dispatch>)>, database::Error> {
        let mut tx = self.database.read(cx.tenant);
        let Some(message) = messages::find(&mut tx, self.tenant_sealer(cx), id).await? else { return Ok(None) };
        let dispatches = messages::dispatches(&mut tx, id).await?;
        Ok(Some((message, dispatches)))
    }
}
