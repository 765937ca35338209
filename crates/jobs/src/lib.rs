//! Background jobs and the event log.
//!
//! An operation writes its effects (a mail, a webhook, a logout at another service) as jobs in the transaction that
//! causes them, and an event that records what happened. Invariants:
//! - No effect is performed before its commit; none is lost after it. A job runs at least once, so handlers must be
//!   idempotent.
//! - Any number of processes share the queue: a job is claimed with a lease, and another process takes over after a
//!   crash.
//! - A job that keeps failing is set aside with its last error, for operators to inspect, and eventually deleted.
//! - Events are only appended, by the transaction that causes them.

mod event;
mod job;
mod queue;
mod storage;
mod worker;

pub use event::{
    DomainEvent, EventRetention, Subject, TOKEN_ISSUED, TUPLES_CHANGED, append, append_at, append_if, reserve_sequences,
};
pub use job::{Job, NewJob};
pub use queue::{Failure, Handler, enqueue};
pub use storage::{StoredEvent, list_events, list_tuple_changes};
pub use worker::Worker;

use database::{MigrationSet, Retention, Statement};

pub const MIGRATIONS: MigrationSet = database::migrations! {
    "jobs",
    [
        1 => ("0001_jobs.sqlite.sql", "0001_jobs.postgres.sql"),
        2 => "0002_events.sql",
        3 => "0003_relation_tuple_events.sql",
    ]
};

/// All statements, for the test that prepares them on both engines.
pub const STATEMENTS: &[&[&Statement]] = storage::ALL;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Failed jobs are kept for 14 days.
pub const RETENTION: &[Retention] = &[Retention { table: "jobs_queue", key: "tenant_id, id", expired: FAILED_JOBS }];

/// The retention of events is configured: see [`EventRetention`].
pub const EVENTS: Retention = Retention { table: "jobs_events", key: "sequence", expired: "at < $1" };
pub(crate) const ISSUED_EVENTS: Retention =
    Retention { table: "jobs_events", key: "sequence", expired: "at < $1 AND name = 'OAuth2AccessTokenIssued'" };

const FAILED_JOBS: &str = "failed_at IS NOT NULL AND failed_at < $1 - 1209600000000";
const _: () = assert!(14 * DAY == 1_209_600_000_000);
