//! A job, before and after it is queued.

use base::Timestamp;
use serde_json::Value;
use uuid::Uuid;

/// A job to enqueue.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Selects the [`Handler`].
    pub kind: &'static str,
    /// Stored unchanged: the caller seals secrets in it.
    pub payload: Value,
    /// The earliest time to run it.
    pub run_at: Timestamp,
}

/// A claimed job.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: Uuid,
    pub payload: Value,
    /// 1 on the first run.
    pub attempt: u32,
}
