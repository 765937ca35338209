//! Counts the relation tuples without a condition of types that need one: they were written before the model changed.

use base::{TenantId, Timestamp};

use crate::Permissions;
use crate::components::models::Unloaded;
use crate::domain::withdrawn_types::kinds_with_condition;
use crate::storage::relation_tuples;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CountError {
    #[error(transparent)]
    Unloaded(#[from] Unloaded),
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl Permissions {
    /// `Doc.viewers: User (3)`, for each kind that has some. Reads all relation tuples of the tenant, unless no type needs a condition.
    pub(crate) async fn count_without_condition(
        &self,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<Vec<String>, CountError> {
        let model = self.models.current()?;
        let kinds = kinds_with_condition(&model.model);
        if kinds.is_empty() {
            return Ok(Vec::new());
        }
        let counts = relation_tuples::count_without_condition(&mut self.database.read(tenant), &kinds, now).await?;
        let shown = |([namespace, relation, of_namespace, of_relation], count): ([String; 4], u64)| {
            let subject = match (of_namespace.as_str(), of_relation.as_str()) {
                ("", _) => "subject ids".to_owned(),
                (namespace, "") => namespace.to_owned(),
                (namespace, relation) => format!("{namespace}#{relation}"),
            };
            format!("{namespace}.{relation}: {subject} ({count})")
        };
        Ok(counts.into_iter().map(shown).collect())
    }
}
