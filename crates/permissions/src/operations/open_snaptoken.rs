//! Reads the snapshot that a client asks for.

use base::Context;

use crate::Permissions;
use crate::components::tokens::{InvalidSnaptoken, open_snaptoken};
use crate::domain::snapshot::Snapshot;

#[derive(Debug, thiserror::Error)]
pub enum OpenSnaptokenError {
    #[error(transparent)]
    Invalid(#[from] InvalidSnaptoken),
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl Permissions {
    /// The snapshot of a token. Whether the database has it is another question (`require_snapshot`).
    pub async fn open_snaptoken(&self, cx: &Context, token: &str) -> Result<Snapshot, OpenSnaptokenError> {
        let sealer = self.tokens.sealer(cx).await?;
        Ok(open_snaptoken(&sealer, cx.tenant, token)?)
    }
}
