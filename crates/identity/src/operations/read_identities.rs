//! Reading identities for the admin API.

use base::{Context, Page, PageRequest};
use database::ReadTx;

use crate::Identity;
use crate::domain::{self, IdentityId};
use crate::storage::identities::{self, Filter, ListKey};

/// A page, and the total number if it was requested.
#[derive(Debug)]
pub struct IdentityPage {
    pub page: Page<domain::Identity, ListKey>,
    pub total: Option<i64>,
}

impl Identity {
    /// An identity with its credentials.
    pub async fn get_identity(
        &self,
        cx: &Context,
        id: IdentityId,
    ) -> Result<Option<domain::Identity>, database::Error> {
        identities::find_whole(&mut self.database.read(cx.tenant), self.tenant_sealer(cx), id).await
    }

    /// As [`Identity::get_identity`], by the external id.
    pub async fn get_identity_by_external_id(
        &self,
        cx: &Context,
        external_id: &str,
    ) -> Result<Option<domain::Identity>, database::Error> {
        identities::find_by_external_id(&mut self.database.read(cx.tenant), self.tenant_sealer(cx), external_id).await
    }

    /// Lists identities page by page, optionally with their credentials.
    pub async fn list_identities(
        &self,
        cx: &Context,
        filter: &Filter,
        page: &PageRequest<ListKey>,
        with_credentials: bool,
    ) -> Result<IdentityPage, database::Error> {
        let mut tx = self.database.read(cx.tenant);
        let sealer = with_credentials.then(|| self.tenant_sealer(cx));
        let total = match filter {
            Filter::Offset(_) => Some(self.total(&mut tx, cx).await?),
            _ => None,
        };
        Ok(IdentityPage { page: Box::pin(identities::list(&mut tx, sealer, filter, page)).await?, total })
    }

    async fn total(&self, tx: &mut ReadTx, cx: &Context) -> Result<i64, database::Error> {
        if let Some(total) = self.totals.get(cx.tenant, cx.now) {
            return Ok(total);
        }
        let total = identities::count(tx).await?;
        self.totals.keep(cx.tenant, total, cx.now);
        Ok(total)
    }
}
