//! Inserts and deletes relation tuples, all of them or none.

use base::Context;
use database::WriteTx;

use crate::Permissions;
use crate::components::models::Unloaded;
use crate::domain::event::Event;
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::snapshot::Snapshot;
use crate::domain::tuple_changes::{NetChanges, TupleChange};
use crate::domain::tuple_key::TupleKey;
use crate::domain::tuple_record::TupleRecord;
use crate::domain::write_validation::check_names;
use crate::storage::relation_tuples::Changed;
use crate::storage::{relation_tuples, state};

#[derive(Debug, thiserror::Error)]
pub enum TransactError {
    #[error(transparent)]
    Unloaded(#[from] Unloaded),
    /// `index` is the position of the refused change.
    #[error("{invalid}")]
    Invalid { index: usize, invalid: InvalidTuple },
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl Permissions {
    /// Makes all changes in one transaction, the insertions first. A deletion of a tuple that does not exist changes nothing.
    /// Returns the snapshot after the changes, and its token.
    pub async fn transact_relation_tuples(
        &self,
        cx: &Context,
        changes: &[TupleChange],
    ) -> Result<(Snapshot, String), TransactError> {
        let model = self.models.current()?;
        for (index, change) in changes.iter().enumerate() {
            let checked = match change {
                TupleChange::Insert(stored) => self.write_rules.check(&model.model, stored, cx.now),
                TupleChange::Delete(tuple) => check_names(&model.model, tuple),
            };
            checked.map_err(|invalid| TransactError::Invalid { index, invalid })?;
        }
        // It creates the row that is locked below.
        let sealer = self.tokens.sealer(cx).await?;
        let net = NetChanges::of(changes);
        let mut tx = self.database.write(cx.tenant).await?;
        state::lock(&mut tx).await?;
        let mut change = insert(&mut tx, &net).await?;
        for keys in net.deletes.chunks(relation_tuples::BATCH) {
            change.delete(relation_tuples::delete(&mut tx, keys).await?);
        }
        let snapshot = change.record(&mut tx, cx).await?;
        tx.commit().await?;
        self.graphs.acknowledge(cx.tenant, snapshot).await;
        Ok((snapshot, crate::components::tokens::snaptoken(&sealer, cx.tenant, snapshot)))
    }
}

async fn insert(tx: &mut WriteTx, net: &NetChanges) -> Result<Change, database::Error> {
    let records: Vec<&TupleRecord> = net.inserts.values().collect();
    let mut change = Change::default();
    for records in records.chunks(relation_tuples::BATCH) {
        let changed = relation_tuples::upsert(tx, records).await?;
        change.inserted.extend(changed.keys.iter().filter_map(|key| net.inserts.get(key).cloned()));
        change.before = change.before.or(changed.before);
    }
    Ok(change)
}

/// What a transaction changed.
#[derive(Default)]
pub(super) struct Change {
    inserted: Vec<TupleRecord>,
    deleted: Vec<TupleKey>,
    /// The snapshot before the change; `None` when nothing changed.
    before: Option<Snapshot>,
}

impl Change {
    /// Writes at most [`relation_tuples::BATCH`] tuples that do not exist.
    pub(super) async fn insert(&mut self, tx: &mut WriteTx, records: Vec<TupleRecord>) -> Result<(), database::Error> {
        if !records.is_empty() {
            let changed = relation_tuples::upsert(tx, &records.iter().collect::<Vec<_>>()).await?;
            self.before = self.before.or(changed.before);
            self.inserted.extend(records);
        }
        Ok(())
    }

    pub(super) fn delete(&mut self, changed: Changed) {
        self.deleted.extend(changed.keys);
        self.before = self.before.or(changed.before);
    }

    /// Writes the events, and returns the snapshot after the change. Without a change that is the present one.
    pub(super) async fn record(self, tx: &mut WriteTx, cx: &Context) -> Result<Snapshot, database::Error> {
        let events = Event::of_change(self.inserted, self.deleted);
        if events.is_empty() {
            return state::snapshot(tx).await;
        }
        let missing = || database::Error::inconsistent("permissions_state", "no row of the tenant");
        let mut snapshot = self.before.ok_or_else(missing)?;
        for event in events {
            snapshot = Snapshot(jobs::append_in_order(tx, cx, &event.after(snapshot)).await?);
        }
        state::set_snapshot(tx, snapshot).await?;
        Ok(snapshot)
    }
}
