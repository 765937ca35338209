//! Inserts and deletes relation tuples, all of them or none.

use base::Context;

use crate::Permissions;
use crate::components::models::{LoadedModel, Unloaded};
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::relation_tuple::{StoredTuple, Subject};
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
        self.accept_relations(cx, &model, changes)?;
        // It creates the row that writers lock.
        let sealer = self.tokens.sealer(cx).await?;
        let snapshot = self.writes.write(cx, NetChanges::of(changes)).await?;
        self.graphs.acknowledge(cx.tenant, snapshot).await;
        Ok((snapshot, crate::components::tokens::snaptoken(&sealer, cx.tenant, snapshot)))
    }

    /// Refuses a name of a relation that would be one too many. Those of the model are always accepted.
    fn accept_relations(
        &self,
        cx: &Context,
        model: &LoadedModel,
        changes: &[TupleChange],
    ) -> Result<(), TransactError> {
        let mut places = Vec::new();
        let mut names = Vec::new();
        for (index, change) in changes.iter().enumerate() {
            let TupleChange::Insert(StoredTuple { tuple, .. }) = change else { continue };
            let of_subject = match &tuple.subject {
                Subject::Set(set) => Some(("subject_set.relation", &set.relation)),
                Subject::Id(_) => None,
            };
            for (field, name) in of_subject.into_iter().chain([("relation", &tuple.relation)]) {
                if model.symbols.relation(name).is_none() {
                    places.push((index, field));
                    names.push(name.as_str());
                }
            }
        }
        self.graphs.accept_relations(cx.tenant, &model.symbols, &names).map_err(|(position, error)| {
            let (index, field) = places.get(position).copied().unwrap_or_default();
            TransactError::Invalid { index, invalid: InvalidTuple::field(field, error.to_string()) }
        })
    }
}
