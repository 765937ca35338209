//! Makes the token of a snapshot, for an answer that sends it.

use base::Context;

use crate::Permissions;
use crate::components::tokens::snaptoken;
use crate::domain::snapshot::Snapshot;

impl Permissions {
    /// The token of the snapshot that an answer was computed at.
    pub async fn issue_snaptoken(&self, cx: &Context, snapshot: Snapshot) -> Result<String, database::Error> {
        let sealer = self.tokens.sealer(cx).await?;
        Ok(snaptoken(&sealer, cx.tenant, snapshot))
    }
}
