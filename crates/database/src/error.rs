//! What can go wrong between an operation and its rows.

use std::error::Error as StdError;

/// A failure of the database. Which row or value was concerned is for the log, never for a client.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A uniqueness rule refused the write. `constraint` is the engine's own wording, for the log; an operation decides by
    /// the statement that failed, or avoids the failure with `ON CONFLICT DO NOTHING` and the number of rows touched.
    #[error("conflicting row: {constraint}")]
    Conflict { constraint: String },
    /// A row that makes no sense: written by something else, or by a version with a fault.
    #[error("inconsistent row in {table}: {what}")]
    Inconsistent { table: &'static str, what: String },
    /// The database cannot be reached, is overloaded, or asks for the transaction to be tried again.
    #[error("database unavailable: {what}")]
    Unavailable {
        what: &'static str,
        #[source]
        source: Option<Box<dyn StdError + Send + Sync>>,
    },
    /// The driver or the engine refused a statement: a fault of ours.
    #[error("database refused {statement}")]
    Driver {
        statement: &'static str,
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl Error {
    /// A row of `table` (or of the statement of that name) that makes no sense, and why.
    pub fn inconsistent(table: &'static str, what: impl Into<String>) -> Self {
        Self::Inconsistent { table, what: what.into() }
    }

    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    pub(crate) fn unavailable(what: &'static str, source: impl StdError + Send + Sync + 'static) -> Self {
        Self::Unavailable { what, source: Some(Box::new(source)) }
    }
}
