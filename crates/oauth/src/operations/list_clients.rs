//! Lists clients, one page at a time.

use base::{Context, Page, PageRequest};

use crate::components::Clients;
use crate::domain::client::{Client, ClientId};
use crate::storage::clients::{self, ClientFilter};

impl Clients {
    pub(crate) async fn list(
        &self,
        cx: &Context,
        filter: &ClientFilter,
        page: &PageRequest<ClientId>,
    ) -> Result<Page<Client, ClientId>, database::Error> {
        clients::list(&mut self.database.read(cx.tenant), filter, page).await
    }
}
