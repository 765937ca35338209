//! Jobs: effects to perform.

use std::time::Duration;

use async_trait::async_trait;
use base::Context;
use database::{Error, WriteTx};
use uuid::Uuid;

use crate::storage;
use crate::{Job, NewJob};

/// Why a job did not succeed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// Retry with increasing delays.
    #[error("{0}")]
    Retry(String),
    /// Retrying cannot help: the job is set aside.
    #[error("{0}")]
    Permanent(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Retry(error.to_string())
    }
}

/// Performs the jobs of one kind.
#[async_trait]
pub trait Handler: Send + Sync {
    fn kind(&self) -> &'static str;

    /// The number of attempts before a job is set aside.
    fn max_attempts(&self) -> u32 {
        12
    }

    /// The maximum duration of one run; afterwards another process may take the job over.
    fn lease(&self) -> Duration {
        Duration::from_mins(1)
    }

    /// Performs the job. A successful job may run again if the process crashed before the success was recorded.
    async fn run(&self, cx: &Context, job: &Job) -> Result<(), Failure>;
}

/// Enqueues a job in the transaction that causes it.
pub async fn enqueue(tx: &mut WriteTx, cx: &Context, id: Uuid, job: NewJob) -> Result<(), Error> {
    storage::insert_job(tx, cx, id, &job).await?;
    tx.notify_on_commit();
    Ok(())
}

/// The delay before the next attempt: 5 s, 10 s, 20 s … at most an hour, with up to a quarter more so that jobs that failed
/// together are not retried together.
pub(crate) fn backoff(attempt: u32, rng: &base::Rng) -> Duration {
    let seconds = 5_u64.saturating_mul(1 << attempt.saturating_sub(1).min(10)).min(3600);
    Duration::from_millis(seconds * 1000 + rng.below(seconds * 250))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_an_hour() {
        let rng = base::Rng::seeded(1);
        let seconds: Vec<u64> = (1..=14).map(|attempt| backoff(attempt, &rng).as_secs()).collect();
        assert!((5..=7).contains(&seconds[0]));
        assert!(seconds.windows(2).all(|pair| pair[1] + pair[1] / 4 >= pair[0]), "{seconds:?}");
        assert!((3600..=4500).contains(&seconds[13]));
    }
}
