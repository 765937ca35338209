//! Watches the rule repositories: files by the operating system's notifications, and all repositories by polling, because
//! some file systems (network) and URLs send no notifications.

use std::sync::Arc;
use std::time::Duration;

use service::WatchedFolders;
use tokio::sync::watch;
use tokio::time::{Instant, interval_at};

use crate::components::repositories::Which;
use crate::service::Gateway;

const LOOK_AT_FILES_EVERY: Duration = Duration::from_secs(5);
const LOOK_AT_URLS_EVERY: Duration = Duration::from_mins(1);

impl Gateway {
    /// Runs until `stop` turns true.
    pub async fn watch_rules(self: &Arc<Self>, mut stop: watch::Receiver<bool>) {
        let files = self.repositories.lock().await.files();
        let mut folders = WatchedFolders::new(files.iter().filter_map(|file| file.parent()).map(Into::into));
        let mut files_due = interval_at(Instant::now() + LOOK_AT_FILES_EVERY, LOOK_AT_FILES_EVERY);
        let mut urls_due = interval_at(Instant::now() + LOOK_AT_URLS_EVERY, LOOK_AT_URLS_EVERY);
        loop {
            let which = tokio::select! {
                biased;
                () = stopped(&mut stop) => return,
                () = folders.changed() => Which::Files,
                _ = files_due.tick() => Which::Files,
                _ = urls_due.tick() => Which::All,
            };
            self.look_for_changed_rules(which).await;
        }
    }
}

/// A closed channel counts as a stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
