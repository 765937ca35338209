//! Notifications of changed files, for services that load files again.
//!
//! They are hints: some file systems (network) send none, so a service polls its files as well.

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::sleep;

/// Editors write a file in several steps.
const SETTLE: Duration = Duration::from_millis(50);

/// Folders that are watched as long as this value exists. Folders are watched, not files: replacing a file or a link to it
/// produces no notification for the old one.
pub struct WatchedFolders {
    changes: mpsc::Receiver<()>,
    /// Dropping the watcher would end it.
    _watcher: Option<RecommendedWatcher>,
}

impl WatchedFolders {
    /// A folder that cannot be watched is logged. An empty path is the current folder.
    pub fn new(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        let (notices, changes) = mpsc::channel(1);
        Self { changes, _watcher: watcher(notices, folders) }
    }

    /// Resolves after a change; never when nothing is watched.
    pub async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        sleep(SETTLE).await;
        let _ = self.changes.try_recv();
    }
}

fn watcher(notices: mpsc::Sender<()>, folders: impl IntoIterator<Item = PathBuf>) -> Option<RecommendedWatcher> {
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
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder.as_path() };
        if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive) {
            let folder = folder.display().to_string();
            tracing::warn!(folder, error = &error as &dyn std::error::Error, "a folder cannot be watched, only polled");
        }
    }
    Some(watcher)
}
