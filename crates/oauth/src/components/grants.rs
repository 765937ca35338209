//! Grants: found by their id, and ended when a code or a refresh token is used a second time.

use base::{Context, Sealer};
use database::{Database, Error};

use crate::domain::event::{Event, ExchangeFailure};
use crate::domain::grant::{Grant, GrantId};
use crate::storage::{grants, revocations};

pub(crate) struct Grants {
    database: Database,
    sealer: Sealer,
}

impl Grants {
    pub(crate) fn new(database: Database, sealer: Sealer) -> Self {
        Self { database, sealer }
    }

    pub(crate) async fn find(&self, cx: &Context, id: GrantId) -> Result<Option<Grant>, Error> {
        grants::find(&mut self.database.read(cx.tenant), &self.sealer, cx.tenant, id).await
    }

    /// Ends a grant and its tokens because one of its credentials was used again (RFC 6749 section 4.1.2, RFC 9700 section
    /// 4.14.2). A grant that has ended has its event already.
    pub(crate) async fn end_misused(&self, cx: &Context, grant: &Grant, failure: ExchangeFailure) -> Result<(), Error> {
        let mut tx = self.database.write(cx.tenant).await?;
        if revocations::revoke(&mut tx, grant.id, cx.now).await?.is_some() {
            jobs::append(&mut tx, cx, &[Event::exchange_failed(grant, failure)]).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
