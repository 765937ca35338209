//! Maps a database error to a response: our fault or an outage, never the client's mistake.

/// The cause is in the log, once, from [`DatabaseFault::of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseFault {
    /// Busy or out of reach: another try may succeed.
    Unavailable,
    /// Nothing can be written until an operator frees disk space.
    StorageFull,
    Internal,
}

impl DatabaseFault {
    pub fn of(error: &database::Error) -> Self {
        let cause = error as &dyn std::error::Error;
        match error {
            database::Error::Unavailable { .. } => {
                tracing::warn!(error = cause, "the database is unavailable");
                Self::Unavailable
            }
            database::Error::StorageFull { .. } => {
                tracing::error!(error = cause, "nothing can be written");
                Self::StorageFull
            }
            database::Error::Conflict { .. }
            | database::Error::Inconsistent { .. }
            | database::Error::Driver { .. } => {
                tracing::error!(error = cause, "the database failed");
                Self::Internal
            }
        }
    }
}
