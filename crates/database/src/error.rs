//! Errors of the database.

use std::error::Error as StdError;
use std::path::PathBuf;
use std::sync::Arc;

/// A failure of the database. The affected row or value is for the log, never for a client. Several callers may wait for one
/// statement, so it can be cloned.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// A unique constraint refused the write. `constraint` is the engine's text, for the log; an operation decides by the
    /// statement that failed, or avoids the failure with `ON CONFLICT DO NOTHING` and the number of affected rows.
    #[error("conflicting row: {constraint}")]
    Conflict { constraint: String },
    /// A row with invalid content, written by another program or by a version with a bug.
    #[error("inconsistent row in {table}: {what}")]
    Inconsistent { table: &'static str, what: String },
    /// The database cannot be reached, is overloaded, or requires the transaction to be retried.
    #[error("database unavailable: {what}")]
    Unavailable {
        what: &'static str,
        #[source]
        source: Option<Arc<dyn StdError + Send + Sync>>,
    },
    /// Nothing can be written until an operator frees disk space.
    #[error("the disk of the database is full")]
    StorageFull {
        #[source]
        source: Arc<dyn StdError + Send + Sync>,
    },
    /// The driver or the engine refused a statement: an internal error.
    #[error("the database rejected the statement {statement}")]
    Driver {
        statement: &'static str,
        #[source]
        source: Arc<dyn StdError + Send + Sync>,
    },
}

impl Error {
    /// A row of `table` (or of the statement of that name) with invalid content, and the reason.
    pub fn inconsistent(table: &'static str, what: impl Into<String>) -> Self {
        Self::Inconsistent { table, what: what.into() }
    }

    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    pub(crate) fn unavailable(what: &'static str, source: impl StdError + Send + Sync + 'static) -> Self {
        Self::Unavailable { what, source: Some(Arc::new(source)) }
    }
}

/// Why a database cannot be reserved for one process. Both variants name the database file.
#[derive(Debug, thiserror::Error)]
pub enum ReserveError {
    #[error(
        "another process serves the database file {}: stop it first; several processes can share a PostgreSQL database",
        .0.display()
    )]
    InUse(PathBuf),
    #[error("no lock file can be written beside the database file {}: check the permissions of its directory", .0.display())]
    Lock(PathBuf, #[source] std::io::Error),
}
