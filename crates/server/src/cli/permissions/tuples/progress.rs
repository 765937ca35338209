//! How far an import or an export has come: a small file beside the data, so that a run that was interrupted continues, and lines
//! on standard error.
//!
//! Invariants:
//! - The file is replaced as a whole, after the service has acknowledged what it says.
//! - A file that does not belong to the data, or that is not valid, is ignored: the run begins again, which is safe, because a relation
//!   tuple exists once.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

/// How often a line is printed.
const INTERVAL: Duration = Duration::from_secs(2);

/// The file with the state of a run.
pub(super) struct StateFile(PathBuf);

impl StateFile {
    /// The file beside the data.
    pub(super) fn beside(data: &Path, purpose: &str) -> Self {
        let mut name = data.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{purpose}-progress"));
        Self(data.with_file_name(name))
    }

    pub(super) fn read<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&std::fs::read(&self.0).ok()?).ok()
    }

    pub(super) fn write<T: Serialize>(&self, state: &T) -> anyhow::Result<()> {
        let unwritable = || format!("the progress cannot be written to {}", self.0.display());
        let mut new = self.0.clone().into_os_string();
        new.push(".new");
        std::fs::write(&new, serde_json::to_vec(state)?).with_context(unwritable)?;
        std::fs::rename(&new, &self.0).with_context(unwritable)
    }

    pub(super) fn remove(&self) {
        // It may never have been written.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Lines about a run that goes on.
pub(super) struct Reporter {
    began: Instant,
    printed: Instant,
    /// Those of an earlier run do not count for the rate.
    before: u64,
    verb: &'static str,
}

impl Reporter {
    pub(super) fn new(verb: &'static str, before: u64) -> Self {
        let now = Instant::now();
        Self { began: now, printed: now, before, verb }
    }

    /// Prints a line, but not more often than every two seconds.
    pub(super) fn report(&mut self, count: u64, share: Option<f64>) {
        if self.printed.elapsed() >= INTERVAL {
            self.printed = Instant::now();
            let share = share.map(|share| format!(" ({:.0} %)", share * 100.0)).unwrap_or_default();
            eprintln!("{} relation tuples {}{share}, {}", count, self.verb, self.rate(count));
        }
    }

    pub(super) fn rate(&self, count: u64) -> String {
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = (count - self.before) as f64 / self.began.elapsed().as_secs_f64().max(0.001);
        format!("{rate:.0} a second")
    }
}
