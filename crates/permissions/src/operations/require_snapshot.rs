//! Which snapshot an answer must have at least.

use std::time::Duration;

use base::Context;
use tokio::time::Instant;

pub use super::shared_answers::RequireSnapshotError;
use crate::Permissions;
use crate::domain::consistency::Consistency;
use crate::domain::snapshot::Snapshot;
use crate::storage::state;

/// How long a question waits for a snapshot that does not exist yet. On one database server it exists before its token does.
const PATIENCE: Duration = Duration::from_secs(1);
const ASK_EVERY: Duration = Duration::from_millis(50);

impl Permissions {
    /// The oldest snapshot that may answer. It exists.
    pub async fn require_snapshot(
        &self,
        cx: &Context,
        consistency: Consistency,
    ) -> Result<Snapshot, RequireSnapshotError> {
        let present = async || state::snapshot(&mut self.database.read(cx.tenant)).await;
        match consistency {
            Consistency::MinimizeLatency => Ok(Snapshot::default()),
            Consistency::FullyConsistent => Ok(present().await?),
            Consistency::AtLeastAsFresh(snapshot) => {
                let known = self.feed.newest_within(self.graphs.rhythm.counts, cx.tenant);
                if known.is_some_and(|known| known >= snapshot) {
                    return Ok(snapshot);
                }
                let deadline = Instant::now() + PATIENCE;
                while present().await? < snapshot {
                    if Instant::now() >= deadline {
                        return Err(RequireSnapshotError::Ahead);
                    }
                    tokio::time::sleep(ASK_EVERY).await;
                }
                Ok(snapshot)
            }
        }
    }
}
