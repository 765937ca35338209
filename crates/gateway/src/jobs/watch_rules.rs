//! Watches the rule repositories: files by the operating system's notifications, and all repositories by polling, because
//! some file systems (network) and URLs send no notifications.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, interval_at, sleep};

use crate::components::repositories::Which;
use crate::service::Gateway;

const LOOK_AT_FILES_EVERY: Duration = Duration::from_secs(5);
const LOOK_AT_URLS_EVERY: Duration = Duration::from_mins(1);
/// Editors write a file in several steps.
const SETTLE: Duration = Duration::from_millis(50);

impl Gateway {
    /// Runs until `stop` turns true.
    pub async fn watch_rules(self: &Arc<Self>, mut stop: watch::Receiver<bool>) {
        let (notices, mut waiting) = mpsc::channel(1);
        let files = self.repositories.lock().await.files();
        // Dropping the watcher would end it.
        let _watcher = watcher(notices, files.iter().filter_map(|file| file.parent()));
        let mut files_due = interval_at(Instant::now() + LOOK_AT_FILES_EVERY, LOOK_AT_FILES_EVERY);
        let mut urls_due = interval_at(Instant::now() + LOOK_AT_URLS_EVERY, LOOK_AT_URLS_EVERY);
        loop {
            let which = tokio::select! {
                biased;
                () = stopped(&mut stop) => return,
                Some(()) = waiting.recv() => {
                    sleep(SETTLE).await;
                    let _ = waiting.try_recv();
                    Which::Files
                }
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

/// Watches folders, not files: replacing a file or a link to it produces no notification for the old one.
fn watcher<'a>(notices: mpsc::Sender<()>, folders: impl Iterator<Item = &'a Path>) -> Option<RecommendedWatcher> {
    let on_event = move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            // A pending notification already covers this change.
            let _ = notices.try_send(());
        }
    };
    let mut watcher = notify::recommended_watcher(on_event)
        .inspect_err(|error| {
            tracing::warn!(error = error as &dyn std::error::Error, "files cannot be watched, only polled");
        })
        .ok()?;
    for folder in folders {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive) {
            let folder = folder.display().to_string();
            tracing::warn!(folder, error = &error as &dyn std::error::Error, "a folder cannot be watched, only polled");
        }
    }
    Some(watcher)
}
