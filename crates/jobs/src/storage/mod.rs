//! The tables `jobs_queue` and `jobs_events`.

use std::net::IpAddr;

use base::{Context, Page, PageRequest, TenantId, Timestamp};
use database::{Database, Error, Read, Row, Statement, WriteTx, values};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;
use uuid::fmt::Simple;

use crate::NewJob;

pub(crate) const ALL: &[&[&Statement]] = &[STATEMENTS];

macro_rules! insert_events {
    ($sequence_column:literal, $row:literal, $request:literal, $sequence:literal, $rows:literal) => {
        concat!(
            "INSERT INTO jobs_events (tenant_id, at, name, actor, subject, request_id, client_address, attributes",
            $sequence_column,
            ") SELECT $1, CAST(",
            $row,
            " ->> 0 AS bigint), ",
            $row,
            " ->> 1, ",
            $row,
            " ->> 2, ",
            $row,
            " ->> 3, ",
            $request,
            ", ",
            $row,
            " ->> 5, ",
            $row,
            " ->> 6",
            $sequence,
            " FROM ",
            $rows
        )
    };
}

database::statements! {
    INSERT_JOB = "INSERT INTO jobs_queue (tenant_id, id, kind, payload, attempts, due_at, created_at)
                  VALUES ($1, $2, $3, $4, 0, $5, $6)";
    /// A read that avoids a write transaction when no job is due.
    across_tenants NEXT_DUE = "SELECT min(due_at) FROM jobs_queue WHERE failed_at IS NULL AND due_at <= $1";
    /// Claims due jobs and postpones them to the end of the lease. Jobs that another process is claiming are skipped.
    across_tenants CLAIM = {
        sqlite: "UPDATE jobs_queue SET attempts = attempts + 1, due_at = $2
                 WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM jobs_queue
                     WHERE failed_at IS NULL AND due_at <= $1 ORDER BY due_at LIMIT $3)
                 RETURNING tenant_id, id, kind, payload, attempts",
        postgres: "UPDATE jobs_queue SET attempts = attempts + 1, due_at = $2
                 WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM jobs_queue
                     WHERE failed_at IS NULL AND due_at <= $1 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
                 RETURNING tenant_id, id, kind, payload, attempts",
    };
    /// Only the latest claimant may finish a job.
    DELETE_JOB = "DELETE FROM jobs_queue WHERE tenant_id = $1 AND id = $2 AND attempts = $3";
    POSTPONE = "UPDATE jobs_queue SET due_at = $4, failure = $5 WHERE tenant_id = $1 AND id = $2 AND attempts = $3";
    SET_ASIDE = "UPDATE jobs_queue SET failed_at = $4, failure = $5 WHERE tenant_id = $1 AND id = $2 AND attempts = $3";
    INSERT_EVENT = "INSERT INTO jobs_events (tenant_id, at, name, actor, subject, request_id, client_address, attributes)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    /// Two events of one request.
    INSERT_TWO_EVENTS = "INSERT INTO jobs_events (tenant_id, at, name, actor, subject, request_id, client_address, attributes)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8), ($1, $2, $9, $4, $10, $6, $7, $11)";
    /// Writes nothing when `$9` is false, but still costs a round trip.
    INSERT_EVENT_IF = "INSERT INTO jobs_events (tenant_id, at, name, actor, subject, request_id, client_address, attributes)
                       SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE $9";
    /// Any number of events, as one JSON array.
    INSERT_EVENTS = {
        sqlite: insert_events!("", "value", "unhex(value ->> 4)", "", "json_each($2)"),
        postgres: insert_events!("", "value", "CAST(value ->> 4 AS uuid)", "",
            "json_array_elements(CAST(CAST($2 AS text) AS json))"),
    };
    /// As `INSERT_EVENTS`, each with its sequence.
    INSERT_EVENTS_AT = {
        sqlite: insert_events!(", sequence", "value -> 0", "unhex(value -> 0 ->> 4)", ", value ->> 1", "json_each($2)"),
        postgres: insert_events!(", sequence", "value -> 0", "CAST(value -> 0 ->> 4 AS uuid)",
            ", CAST(value ->> 1 AS bigint)", "json_array_elements(CAST(CAST($2 AS text) AS json))"),
    };
    /// On SQLite a sequence is taken when its row is inserted; there is one writer.
    across_tenants RESERVE_SEQUENCES = {
        sqlite: "WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < $1)
            SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'jobs_events'), 0) + number FROM numbers",
        postgres: "SELECT nextval(pg_get_serial_sequence('jobs_events', 'sequence'))
            FROM generate_series(1, CAST($1 AS bigint))",
    };
    /// The name is the constant `TUPLES_CHANGED`, because only a constant selects the index of these events.
    LIST_TUPLE_CHANGES = "SELECT sequence, at, name, actor, subject, attributes FROM jobs_events
        WHERE tenant_id = $1 AND name = 'RelationTuplesChanged' AND sequence > $2 ORDER BY sequence LIMIT $3";
    slow LIST_EVENTS = "SELECT sequence, at, name, actor, subject, attributes FROM jobs_events
                   WHERE tenant_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";
}

pub(crate) struct ClaimedJob {
    pub(crate) tenant: TenantId,
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) payload: Value,
    pub(crate) attempt: i32,
}

pub(crate) async fn insert_job(tx: &mut WriteTx, cx: &Context, id: Uuid, job: &NewJob) -> Result<(), Error> {
    let payload = job.payload.to_string();
    tx.append(&INSERT_JOB, &values![id, job.kind, payload, job.run_at, cx.now]).await
}

pub(crate) async fn is_any_due(database: &Database, now: Timestamp) -> Result<bool, Error> {
    let row = database.read(TenantId::DEFAULT).query_one(&NEXT_DUE, &values![now]).await?;
    Ok(row.get::<Option<Timestamp>>(0)?.is_some())
}

pub(crate) async fn claim(
    database: &Database,
    now: Timestamp,
    lease_ends: Timestamp,
    limit: i64,
) -> Result<Vec<ClaimedJob>, Error> {
    let mut tx = database.write(TenantId::DEFAULT).await?;
    let rows = tx.query(&CLAIM, &values![now, lease_ends, limit]).await?;
    let jobs = rows.iter().map(claimed).collect::<Result<_, _>>()?;
    tx.commit().await?;
    Ok(jobs)
}

fn claimed(row: &Row) -> Result<ClaimedJob, Error> {
    let payload: String = row.get(3)?;
    Ok(ClaimedJob {
        tenant: TenantId::from_i32(row.get(0)?),
        id: row.get(1)?,
        kind: row.get(2)?,
        // Only JSON is written here; the handler will reject anything else.
        payload: serde_json::from_str(&payload).unwrap_or(Value::Null),
        attempt: row.get(4)?,
    })
}

pub(crate) async fn delete_job(database: &Database, job: &ClaimedJob) -> Result<(), Error> {
    database.write_once(job.tenant, &DELETE_JOB, &values![job.id, job.attempt]).await.map(drop)
}

pub(crate) async fn postpone(
    database: &Database,
    job: &ClaimedJob,
    due_at: Timestamp,
    failure: &str,
) -> Result<(), Error> {
    database.write_once(job.tenant, &POSTPONE, &values![job.id, job.attempt, due_at, failure]).await.map(drop)
}

pub(crate) async fn set_aside(
    database: &Database,
    job: &ClaimedJob,
    now: Timestamp,
    failure: &str,
) -> Result<(), Error> {
    database.write_once(job.tenant, &SET_ASIDE, &values![job.id, job.attempt, now, failure]).await.map(drop)
}

/// An event to be written.
#[derive(Debug)]
pub(crate) struct NewEvent {
    pub(crate) name: String,
    pub(crate) subject: String,
    pub(crate) attributes: String,
}

pub(crate) async fn insert_event_if(
    tx: &mut WriteTx,
    cx: &Context,
    actor: &str,
    event: &NewEvent,
    is_written: bool,
) -> Result<(), Error> {
    let address = cx.client_address.map(|it| it.to_string());
    let NewEvent { name, subject, attributes } = event;
    let row = values![cx.now, name, actor, subject, cx.request_id.0, address, attributes, is_written];
    tx.append(&INSERT_EVENT_IF, &row).await
}

pub(crate) async fn insert_event(tx: &mut WriteTx, cx: &Context, actor: &str, event: &NewEvent) -> Result<(), Error> {
    let address = cx.client_address.map(|it| it.to_string());
    let NewEvent { name, subject, attributes } = event;
    tx.append(&INSERT_EVENT, &values![cx.now, name, actor, subject, cx.request_id.0, address, attributes]).await
}

/// Takes sequences, in their order.
pub(crate) async fn reserve_sequences(tx: &mut WriteTx, count: usize) -> Result<Vec<i64>, Error> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let rows = tx.query(&RESERVE_SEQUENCES, &values![count]).await?;
    let mut sequences = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<i64>, _>>()?;
    sequences.sort_unstable();
    Ok(sequences)
}

/// The columns of an event: time, name, actor, subject, request, address, attributes.
#[derive(Serialize)]
pub(crate) struct EventRow<'a>(
    pub(crate) i64,
    pub(crate) &'a str,
    pub(crate) &'a str,
    pub(crate) &'a str,
    pub(crate) Simple,
    pub(crate) Option<IpAddr>,
    pub(crate) &'a str,
);

pub(crate) async fn insert_events(tx: &mut WriteTx, rows: &[EventRow<'_>]) -> Result<(), Error> {
    tx.append(&INSERT_EVENTS, &values![json(rows)?]).await
}

pub(crate) async fn insert_events_at(tx: &mut WriteTx, rows: &[(EventRow<'_>, i64)]) -> Result<(), Error> {
    tx.append(&INSERT_EVENTS_AT, &values![json(rows)?]).await
}

fn json(rows: &[impl Serialize]) -> Result<String, Error> {
    serde_json::to_string(rows).map_err(|error| Error::inconsistent("jobs_events", error.to_string()))
}

pub(crate) async fn insert_two_events(
    tx: &mut WriteTx,
    cx: &Context,
    actor: &str,
    [first, second]: &[NewEvent; 2],
) -> Result<(), Error> {
    let address = cx.client_address.map(|it| it.to_string());
    let row = values![
        cx.now,
        first.name.as_str(),
        actor,
        &first.subject,
        cx.request_id.0,
        address,
        &first.attributes,
        second.name.as_str(),
        &second.subject,
        &second.attributes,
    ];
    tx.append(&INSERT_TWO_EVENTS, &row).await
}

/// An event as stored.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    pub sequence: i64,
    pub at: Timestamp,
    pub name: String,
    pub actor: String,
    pub subject: String,
    pub attributes: Value,
}

/// The events of a tenant in order of their sequence.
pub async fn list_events(tx: &mut impl Read, page: PageRequest<i64>) -> Result<Page<StoredEvent, i64>, Error> {
    let limit = i64::from(page.size) + 1;
    let rows = tx.query(&LIST_EVENTS, &values![page.after.unwrap_or(0), limit]).await?;
    let events = rows.iter().map(stored).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::from_rows(events, page.size, |it| it.sequence))
}

/// The first events named [`TUPLES_CHANGED`](crate::TUPLES_CHANGED) of a tenant after a sequence, in the order of theirs.
pub async fn list_tuple_changes(tx: &mut impl Read, after: i64, most: u32) -> Result<Vec<StoredEvent>, Error> {
    let rows = tx.query(&LIST_TUPLE_CHANGES, &values![after, i64::from(most)]).await?;
    rows.iter().map(stored).collect()
}

fn stored(row: &Row) -> Result<StoredEvent, Error> {
    let attributes: String = row.get(5)?;
    Ok(StoredEvent {
        sequence: row.get(0)?,
        at: row.get(1)?,
        name: row.get(2)?,
        actor: row.get(3)?,
        subject: row.get(4)?,
        attributes: serde_json::from_str(&attributes)
            .map_err(|_| Error::inconsistent("jobs_events", "attributes are not JSON"))?,
    })
}
