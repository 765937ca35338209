//! Writes changes of relation tuples. On PostgreSQL those of requests that wait at the same time are one transaction, because the
//! writers of a tenant wait for each other and would also wait for each other's flushes
//! ([ADR 22](../../../../docs/adr/0022-changes-of-relation-tuples-share-a-transaction.md)).
//!
//! Invariants:
//! - The changes of a request are made completely or not at all.
//! - A request is answered after the commit of its changes, and its events are behind those of every request that was answered
//!   before it began.
//! - The requests of one transaction change different tuples.
//! - If a transaction of several requests fails, each is tried alone, so that none fails because of another one. It is not
//!   tried again when it may have been committed.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::{Context, TenantId};
use database::{Database, Error, WriteTx};
use tokio::sync::oneshot;

use super::change::{RequestChange, record};
use crate::domain::snapshot::Snapshot;
use crate::domain::tuple_changes::NetChanges;
use crate::domain::tuple_key::TupleKey;
use crate::domain::tuple_record::TupleRecord;
use crate::storage::relation_tuples::{self, LogPlace};
use crate::storage::state;

/// The most requests of one transaction, and the most tuples of several requests: one statement writes them.
const MOST_REQUESTS: usize = 128;
const MOST_TUPLES: usize = relation_tuples::BATCH;

pub(crate) struct Writes {
    database: Database,
    tenants: Mutex<BTreeMap<TenantId, Queue>>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Request>,
    /// A task takes requests from the queue until it is empty.
    is_served: bool,
}

struct Request {
    cx: Context,
    changes: NetChanges,
    answer: oneshot::Sender<Result<Snapshot, Error>>,
}

impl Writes {
    pub(crate) fn new(database: Database) -> Self {
        Self { database, tenants: Mutex::default() }
    }

    /// Makes all changes, or none. Returns the snapshot after them.
    #[expect(
        clippy::disallowed_methods,
        reason = "a client that goes away must not end the transaction of others; the task ends when nothing waits"
    )]
    pub(crate) async fn write(self: &Arc<Self>, cx: &Context, changes: NetChanges) -> Result<Snapshot, Error> {
        let (answer, answered) = oneshot::channel();
        let tenant = cx.tenant;
        if !self.database.is_shared() {
            // An SQLite file has a group commit of its own, without a wait between two groups.
            let request = Request { cx: cx.clone(), changes, answer };
            let written = transact(&self.database, tenant, std::slice::from_ref(&request)).await;
            return written.map(|it| it.first().copied().unwrap_or_default()).map_err(|failure| failure.error);
        }
        let is_served = {
            let mut tenants = self.locked();
            let queue = tenants.entry(tenant).or_default();
            queue.waiting.push_back(Request { cx: cx.clone(), changes, answer });
            std::mem::replace(&mut queue.is_served, true)
        };
        if !is_served {
            tokio::spawn(serve(Serving { writes: self.clone(), tenant, is_over: false }));
        }
        answered.await.unwrap_or_else(|_| Err(interrupted()))
    }

    /// The next requests that can be written together. `None`: nothing waits, and nothing serves the queue any more.
    fn next(&self, tenant: TenantId) -> Option<Vec<Request>> {
        let mut tenants = self.locked();
        let queue = tenants.get_mut(&tenant)?;
        if queue.waiting.is_empty() {
            tenants.remove(&tenant);
            return None;
        }
        let count = together(&queue.waiting);
        Some(queue.waiting.drain(..count).collect())
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<TenantId, Queue>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many of the first requests change different tuples and are not too many: at least one.
fn together(waiting: &VecDeque<Request>) -> usize {
    let mut keys: HashSet<&TupleKey> = HashSet::new();
    for (index, request) in waiting.iter().enumerate() {
        let mut its_keys = request.changes.keys();
        let is_too_much = index == MOST_REQUESTS || keys.len() + request.changes.len() > MOST_TUPLES;
        if index > 0 && (is_too_much || its_keys.any(|key| keys.contains(key))) {
            return index;
        }
        keys.extend(request.changes.keys());
    }
    waiting.len()
}

/// The task that serves the queue of a tenant. If it ends early, what waits is refused, and the next request starts another one.
struct Serving {
    writes: Arc<Writes>,
    tenant: TenantId,
    is_over: bool,
}

impl Drop for Serving {
    fn drop(&mut self) {
        if !self.is_over {
            self.writes.locked().remove(&self.tenant);
        }
    }
}

async fn serve(mut serving: Serving) {
    while let Some(requests) = serving.writes.next(serving.tenant) {
        answer(&serving.writes.database, serving.tenant, requests).await;
    }
    serving.is_over = true;
}

async fn answer(database: &Database, tenant: TenantId, requests: Vec<Request>) {
    // A failed send: nobody waits for the answer any more.
    match transact(database, tenant, &requests).await {
        Ok(snapshots) => {
            for (request, snapshot) in requests.into_iter().zip(snapshots) {
                let _ = request.answer.send(Ok(snapshot));
            }
        }
        Err(failure) if requests.len() == 1 || failure.may_be_committed => {
            let mut error = Some(failure.error);
            for request in requests {
                let _ = request.answer.send(Err(error.take().unwrap_or_else(interrupted)));
            }
        }
        Err(failure) => {
            tracing::debug!(
                error = &failure.error as &dyn std::error::Error,
                requests = requests.len(),
                "changes of relation tuples are written one by one"
            );
            for request in requests {
                let alone = transact(database, tenant, std::slice::from_ref(&request)).await;
                let snapshot = alone.map(|snapshots| snapshots.first().copied().unwrap_or_default());
                let _ = request.answer.send(snapshot.map_err(|failure| failure.error));
            }
        }
    }
}

fn interrupted() -> Error {
    Error::Unavailable { what: "a transaction of several changes was interrupted", source: None }
}

struct Failure {
    error: Error,
    may_be_committed: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, may_be_committed: false }
    }
}

/// The changes of these requests in one transaction; returns the snapshot after each of them.
async fn transact(database: &Database, tenant: TenantId, requests: &[Request]) -> Result<Vec<Snapshot>, Failure> {
    let mut tx = database.write(tenant).await?;
    state::lock(&mut tx).await?;
    let (changes, place) = change(&mut tx, requests).await?;
    let contexts = requests.iter().map(|request| &request.cx);
    let snapshots = record(&mut tx, contexts.zip(changes).collect(), place).await?;
    tx.commit().await.map_err(|error| {
        let may_be_committed = matches!(error, Error::Unavailable { .. });
        Failure { error, may_be_committed }
    })?;
    Ok(snapshots)
}

/// Writes and deletes the tuples: the insertions of all requests first. Returns what each request changed.
async fn change(tx: &mut WriteTx, requests: &[Request]) -> Result<(Vec<RequestChange>, LogPlace), Error> {
    let mut owners: HashMap<&TupleKey, usize> = HashMap::new();
    for (index, request) in requests.iter().enumerate() {
        owners.extend(request.changes.keys().map(|key| (key, index)));
    }
    let mut changes: Vec<RequestChange> = requests.iter().map(|_| RequestChange::default()).collect();
    let mut place = LogPlace::default();
    let records: Vec<&TupleRecord> = requests.iter().flat_map(|it| it.changes.inserts.values()).collect();
    for records in records.chunks(relation_tuples::BATCH) {
        let changed = relation_tuples::upsert(tx, records).await?;
        for key in &changed.keys {
            let owner = owners.get(key).copied().unwrap_or_default();
            let record = requests.get(owner).and_then(|it| it.changes.inserts.get(key));
            if let (Some(record), Some(change)) = (record, changes.get_mut(owner)) {
                change.inserted.push(record.clone());
            }
        }
        place = place.and(changed.place);
    }
    let keys: Vec<&TupleKey> = requests.iter().flat_map(|it| &it.changes.deletes).collect();
    for keys in keys.chunks(relation_tuples::BATCH) {
        let changed = relation_tuples::delete(tx, keys).await?;
        for key in changed.keys {
            let owner = owners.get(&key).copied().unwrap_or_default();
            if let Some(change) = changes.get_mut(owner) {
                change.deleted.push(key);
            }
        }
        place = place.and(changed.place);
    }
    Ok((changes, place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::relation_tuple::{RelationTuple, Subject};
    use crate::domain::tuple_changes::TupleChange;
    use base::{RequestId, Rng, Timestamp};

    fn delete(object: &str) -> TupleChange {
        let (namespace, relation) = ("Doc".into(), "viewer".into());
        TupleChange::Delete(RelationTuple {
            namespace,
            object: object.into(),
            relation,
            subject: Subject::Id("ada".into()),
        })
    }

    fn requests(objects: &[&[&str]]) -> VecDeque<Request> {
        let request = |objects: &&[&str]| {
            let changes: Vec<TupleChange> = objects.iter().map(|object| delete(object)).collect();
            let cx = Context::for_background(Timestamp::EPOCH, TenantId::DEFAULT, RequestId(Rng::seeded(1).uuid()));
            Request { cx, changes: NetChanges::of(&changes), answer: oneshot::channel().0 }
        };
        objects.iter().map(request).collect()
    }

    #[test]
    fn requests_that_change_different_tuples_are_written_together() {
        assert_eq!(together(&requests(&[&["a", "b"], &["c"], &[], &["d"]])), 4);
        assert_eq!(together(&requests(&[&["a", "b"], &["c"], &["b"], &["d"]])), 2);
        assert_eq!(together(&requests(&[&["a"], &["a"]])), 1);
        let many: Vec<String> = (0..MOST_TUPLES * 2).map(|it| it.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let (half, rest) = many.split_at(MOST_TUPLES);
        assert_eq!(together(&requests(&[half, &["a"]])), 1, "one statement");
        assert_eq!(together(&requests(&[&many, &["a"]])), 1, "a large request is written alone");
        let single: Vec<&[&str]> = rest.chunks(1).collect();
        assert_eq!(together(&requests(&single)), MOST_REQUESTS);
    }
}
