//! Lists relation tuples, one page at a time.

use base::{Context, Page, PageRequest};

use crate::Permissions;
use crate::components::models::Unloaded;
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::relation_tuple::StoredTuple;
use crate::domain::tuple_key::TupleKey;
use crate::domain::tuple_query::TupleQuery;
use crate::domain::write_validation::check_query;
use crate::storage::relation_tuples;

#[derive(Debug, thiserror::Error)]
pub enum ListRelationTuplesError {
    #[error(transparent)]
    Unloaded(#[from] Unloaded),
    #[error(transparent)]
    Invalid(#[from] InvalidTuple),
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl Permissions {
    /// The tuples that match the query and have not expired; a query without parts matches all.
    pub async fn list_relation_tuples(
        &self,
        cx: &Context,
        query: &TupleQuery,
        page: &PageRequest<TupleKey>,
    ) -> Result<Page<StoredTuple, TupleKey>, ListRelationTuplesError> {
        check_query(&self.models.current()?.model, query)?;
        Ok(relation_tuples::list(&mut self.database.read(cx.tenant), query, page, cx.now).await?)
    }
}
