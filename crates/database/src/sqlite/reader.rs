//! Read connections: one per thread that reads, opened on its first read.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use rusqlite::Connection;

use super::{failure, open_reader};
use crate::Error;

pub(crate) struct Readers {
    id: u64,
    path: PathBuf,
    /// Lives as long as the database: a thread drops the connections whose database is gone.
    alive: Arc<()>,
}

struct ThreadReader {
    database: u64,
    alive: Weak<()>,
    connection: Connection,
}

thread_local! {
    static READERS: RefCell<Vec<ThreadReader>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn next_database_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Readers {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { id: next_database_id(), path, alive: Arc::new(()) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn with<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        READERS.with_borrow_mut(|readers| {
            if let Some(reader) = readers.iter().find(|reader| reader.database == self.id) {
                return work(&reader.connection);
            }
            readers.retain(|reader| reader.alive.strong_count() > 0);
            let connection = open_reader(&self.path).map_err(|error| failure("open a reader", error))?;
            let result = work(&connection);
            readers.push(ThreadReader { database: self.id, alive: Arc::downgrade(&self.alive), connection });
            result
        })
    }
}
