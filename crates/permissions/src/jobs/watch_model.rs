//! Watches the source of the permission model: files by the operating system's notifications, and every source by polling,
//! because some file systems (network) and URLs send no notifications.

use std::sync::Arc;
use std::time::Duration;

use service::WatchedFolders;
use tokio::sync::watch;
use tokio::time::{Instant, interval_at};

use crate::Permissions;

const LOOK_AT_FILES_EVERY: Duration = Duration::from_secs(5);
const LOOK_AT_URL_EVERY: Duration = Duration::from_mins(1);

impl Permissions {
    /// Runs until `stop` turns true.
    pub async fn watch_model(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut folders = WatchedFolders::new(self.models.folders());
        let period = if self.models.is_remote() { LOOK_AT_URL_EVERY } else { LOOK_AT_FILES_EVERY };
        let mut due = interval_at(Instant::now() + period, period);
        loop {
            tokio::select! {
                biased;
                // A closed channel counts as a stop.
                _ = stop.wait_for(|stop| *stop) => return,
                () = folders.changed() => {}
                _ = due.tick() => {}
            }
            self.models.refresh_and_log().await;
        }
    }
}
