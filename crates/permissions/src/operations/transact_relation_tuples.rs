//! Inserts and deletes relation tuples, all of them or none.

use base::Context;

use crate::Permissions;
use crate::components::models::Unloaded;
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::snapshot::Snapshot;
use crate::domain::tuple_changes::{NetChanges, TupleChange};
use crate::domain::write_validation::check_names;

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
        // It creates the row that writers lock.
        let sealer = self.tokens.sealer(cx).await?;
        let snapshot = self.writes.write(cx, NetChanges::of(changes)).await?;
        self.graphs.acknowledge(cx.tenant, snapshot).await;
        Ok((snapshot, crate::components::tokens::snaptoken(&sealer, cx.tenant, snapshot)))
    }
}
