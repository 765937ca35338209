//! The worker: claims due jobs, runs them, and deletes expired rows. Every process runs one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base::{Clock, Context, RequestId, Rng, Timestamp};
use database::{Database, Error, Reaper, Retention};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;

use crate::Job;
use crate::event::EventRetention;
use crate::queue::{Failure, Handler, backoff};
use crate::storage::{self, ClaimedJob};

/// The number of jobs that run at the same time.
const CONCURRENCY: i64 = 8;
/// The polling interval: the longest time until a retry, or a job of a process that ended, is noticed. A process begins its own
/// jobs at once.
const POLL: Duration = Duration::from_secs(4);
const REAP_EVERY: Duration = Duration::from_mins(1);
/// The most batches per table and run: enough for 20,000 expired rows a minute, without blocking others for long.
const REAP_BATCHES: u32 = 40;

pub struct Worker {
    database: Database,
    clock: Clock,
    rng: Rng,
    handlers: HashMap<&'static str, Arc<dyn Handler>>,
    reaper: Reaper,
    audit_events: Reaper,
    issued_events: Reaper,
    event_retention: EventRetention,
    longest_lease: Duration,
}

impl Worker {
    pub fn new(
        database: Database,
        clock: Clock,
        rng: Rng,
        handlers: impl IntoIterator<Item = Arc<dyn Handler>>,
        retention: impl IntoIterator<Item = Retention>,
    ) -> Self {
        let handlers: HashMap<_, _> = handlers.into_iter().map(|it| (it.kind(), it)).collect();
        let longest_lease = handlers.values().map(|it| it.lease()).max().unwrap_or(Duration::from_mins(1));
        let reaper = Reaper::new(database.clone(), retention);
        let audit_events = Reaper::new(database.clone(), [crate::EVENTS]);
        let issued_events = Reaper::new(database.clone(), [crate::ISSUED_EVENTS]);
        let event_retention = EventRetention::default();
        Self { database, clock, rng, handlers, reaper, audit_events, issued_events, event_retention, longest_lease }
    }

    #[must_use]
    pub fn with_event_retention(mut self, retention: EventRetention) -> Self {
        self.event_retention = retention;
        self
    }

    /// Runs until `stop` turns true, and finishes the running jobs.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        // Spread the reaping of processes that start together.
        let mut reap_at = tokio::time::Instant::now() + Duration::from_secs(1 + self.rng.below(REAP_EVERY.as_secs()));
        loop {
            if let Err(error) = self.run_due().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "jobs could not be claimed");
            }
            if tokio::time::Instant::now() >= reap_at {
                self.reap().await;
                reap_at = tokio::time::Instant::now() + REAP_EVERY;
            }
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                () = self.database.committed() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Runs all due jobs and returns their number.
    pub async fn run_due(&self) -> Result<usize, Error> {
        let mut count = 0;
        loop {
            let now = self.clock.now();
            if !storage::is_any_due(&self.database, now).await? {
                return Ok(count);
            }
            let jobs = storage::claim(&self.database, now, now.plus(self.longest_lease), CONCURRENCY).await?;
            if jobs.is_empty() {
                return Ok(count);
            }
            count += jobs.len();
            let mut running: FuturesUnordered<_> = jobs.iter().map(|job| self.run_one(job)).collect();
            while running.next().await.is_some() {}
        }
    }

    /// Deletes expired rows.
    pub async fn reap(&self) {
        let now = self.clock.now();
        let EventRetention { audit, issued } = self.event_retention;
        for (reaper, expired_at) in
            [(&self.reaper, now), (&self.audit_events, now.minus(audit)), (&self.issued_events, now.minus(issued))]
        {
            match reaper.reap(expired_at, REAP_BATCHES).await {
                Ok(reaped) => {
                    for it in reaped {
                        tracing::debug!(table = it.table, rows = it.rows, "expired rows were deleted");
                    }
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "expired rows could not be deleted");
                }
            }
        }
    }

    async fn run_one(&self, claimed: &ClaimedJob) {
        let outcome = self.perform(claimed).await;
        let now = self.clock.now();
        let recorded = match outcome {
            Ok(()) => storage::delete_job(&self.database, claimed).await,
            Err(Decision::Postpone(until, reason)) => {
                tracing::warn!(job = %claimed.id, kind = claimed.kind, reason, "a job failed and will be retried");
                storage::postpone(&self.database, claimed, until, &reason).await
            }
            Err(Decision::SetAside(reason)) => {
                tracing::error!(job = %claimed.id, kind = claimed.kind, reason, "a job was set aside");
                storage::set_aside(&self.database, claimed, now, &reason).await
            }
        };
        if let Err(error) = recorded {
            // The lease expires eventually, and the job runs again.
            tracing::warn!(error = &error as &dyn std::error::Error, "the result of a job could not be recorded");
        }
    }

    async fn perform(&self, claimed: &ClaimedJob) -> Result<(), Decision> {
        let Some(handler) = self.handlers.get(claimed.kind.as_str()) else {
            // Another version of Kleis may support it: a rolling upgrade must not lose it.
            return Err(Decision::Postpone(
                self.clock.now().plus(Duration::from_mins(1)),
                "no handler for this kind of job".to_owned(),
            ));
        };
        let cx = Context::for_background(self.clock.now(), claimed.tenant, RequestId(claimed.id));
        let attempt = u32::try_from(claimed.attempt).unwrap_or(u32::MAX);
        let job = Job { id: claimed.id, payload: claimed.payload.clone(), attempt };
        let outcome = tokio::time::timeout(handler.lease(), handler.run(&cx, &job)).await;
        match outcome.unwrap_or_else(|_| Err(Failure::Retry("the job exceeded its lease".to_owned()))) {
            Ok(()) => Ok(()),
            Err(Failure::Retry(reason)) if attempt < handler.max_attempts() => {
                Err(Decision::Postpone(self.clock.now().plus(backoff(attempt, &self.rng)), reason))
            }
            Err(Failure::Retry(reason) | Failure::Permanent(reason)) => Err(Decision::SetAside(reason)),
        }
    }
}

/// How to proceed with a failed job.
enum Decision {
    Postpone(Timestamp, String),
    SetAside(String),
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("handlers", &self.handlers.keys()).finish_non_exhaustive()
    }
}
