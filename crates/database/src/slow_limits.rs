//! Time limits of slow queries, on both engines.

use std::time::Duration;

use crate::Error;

/// How long a slow query may wait for its turn.
pub(crate) const QUEUE_LIMIT: Duration = Duration::from_secs(5);

/// How long a slow query may run.
pub(crate) const RUN_LIMIT: Duration = Duration::from_secs(10);

pub(crate) fn queue_is_full() -> Error {
    Error::Unavailable { what: "too many slow queries are running", source: None }
}

pub(crate) fn took_too_long() -> Error {
    Error::Unavailable { what: "the query was cancelled because it took too long", source: None }
}
