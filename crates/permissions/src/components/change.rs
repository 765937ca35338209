//! What a transaction changed, and the events that say so.
//!
//! Invariant: the row of the tenant is locked while sequences are reserved for events, until the commit
//! ([ADR 17](../../../../docs/adr/0017-changes-of-relation-tuples-in-one-order.md)).

use base::Context;
use database::{Error, WriteTx};

use crate::domain::event::Event;
use crate::domain::snapshot::Snapshot;
use crate::domain::tuple_key::TupleKey;
use crate::domain::tuple_record::TupleRecord;
use crate::storage::relation_tuples::LogPlace;
use crate::storage::state;

/// The tuples that the changes of one request really changed.
#[derive(Default)]
pub(crate) struct RequestChange {
    pub(crate) inserted: Vec<TupleRecord>,
    pub(crate) deleted: Vec<TupleKey>,
}

/// Writes the events of changes, in their order, and returns the snapshot after each of them. `place` is that of all of them, which
/// the statements return that change something.
pub(crate) async fn record(
    tx: &mut WriteTx,
    changes: Vec<(&Context, RequestChange)>,
    place: LogPlace,
) -> Result<Vec<Snapshot>, Error> {
    let of_change = |(cx, RequestChange { inserted, deleted })| (cx, Event::of_change(inserted, deleted));
    let changes: Vec<(&Context, Vec<Event>)> = changes.into_iter().map(of_change).collect();
    let count: usize = changes.iter().map(|(_, events)| events.len()).sum();
    if count == 0 {
        let snapshot = state::snapshot(tx).await?;
        return Ok(vec![snapshot; changes.len()]);
    }
    let missing = || Error::inconsistent("permissions_state", "no row of the tenant");
    let mut snapshot = place.before.ok_or_else(missing)?;
    let mut sequences = place.sequences;
    if sequences.len() < count {
        sequences = jobs::reserve_sequences(tx, count).await?;
    }
    let mut sequences = sequences.into_iter();
    let mut snapshots = Vec::with_capacity(changes.len());
    let mut logged = Vec::with_capacity(count);
    for (cx, events) in changes {
        for event in events {
            let sequence = sequences.next().ok_or_else(|| Error::inconsistent("jobs_events", "too few sequences"))?;
            logged.push((cx, sequence, event.after(snapshot)));
            snapshot = Snapshot(sequence);
        }
        snapshots.push(snapshot);
    }
    jobs::append_at(tx, &logged).await?;
    state::set_snapshot(tx, snapshot).await?;
    Ok(snapshots)
}
