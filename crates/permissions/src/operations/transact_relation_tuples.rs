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
use crate::domain::write_validation::check_deletion;
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
                TupleChange::Insert(stored) => self.write_rules.check(&model, stored, cx.now),
                TupleChange::Delete(tuple) => check_deletion(&model, tuple),
            };
            checked.map_err(|invalid| TransactError::Invalid { index, invalid })?;
        }
        // It creates the row that is locked below.
        let sealer = self.tokens.sealer(cx).await?;
        let net = NetChanges::of(changes);
        let mut tx = self.database.write(cx.tenant).await?;
        state::lock(&mut tx).await?;
        let inserted = insert(&mut tx, &net).await?;
        let mut deleted = Vec::new();
        for keys in net.deletes.chunks(relation_tuples::BATCH) {
            deleted.extend(relation_tuples::delete(&mut tx, keys).await?);
        }
        let snapshot = record(&mut tx, cx, inserted, deleted).await?;
        tx.commit().await?;
        Ok((snapshot, crate::components::tokens::snaptoken(&sealer, cx.tenant, snapshot)))
    }
}

/// Returns the tuples that changed.
async fn insert(tx: &mut WriteTx, net: &NetChanges) -> Result<Vec<TupleRecord>, database::Error> {
    let records: Vec<&TupleRecord> = net.inserts.values().collect();
    let mut inserted = Vec::new();
    for records in records.chunks(relation_tuples::BATCH) {
        for key in relation_tuples::upsert(tx, records).await? {
            inserted.extend(net.inserts.get(&key).cloned());
        }
    }
    Ok(inserted)
}

/// Writes the events of a change, and returns the snapshot after it. Without a change that is the present one.
pub(super) async fn record(
    tx: &mut WriteTx,
    cx: &Context,
    inserted: Vec<TupleRecord>,
    deleted: Vec<TupleKey>,
) -> Result<Snapshot, database::Error> {
    let events = Event::of_change(inserted, deleted);
    let Some(sequence) = jobs::append_in_order(tx, cx, &events).await? else { return state::snapshot(tx).await };
    let snapshot = Snapshot(sequence);
    state::set_snapshot(tx, snapshot).await?;
    Ok(snapshot)
}
