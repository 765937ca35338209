//! Deletes all relation tuples that match a query.

use base::{Context, PageRequest, Timestamp};

use crate::Permissions;
use crate::components::change::{RequestChange, record};
use crate::components::models::Unloaded;
use crate::components::tokens::snaptoken;
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::snapshot::Snapshot;
use crate::domain::tuple_key::TupleKey;
use crate::domain::tuple_query::TupleQuery;
use crate::domain::write_validation::check_query;
use crate::storage::{relation_tuples, state};

/// The most tuples that one transaction deletes: ten batches. Other writers wait for it.
const MOST_AT_ONCE: usize = 10 * relation_tuples::BATCH;
const BATCH_SIZE: u32 = 1_000;
const _: () = assert!(BATCH_SIZE as usize == relation_tuples::BATCH);

#[derive(Debug, thiserror::Error)]
pub enum DeleteRelationTuplesError {
    #[error(transparent)]
    Unloaded(#[from] Unloaded),
    #[error(transparent)]
    Invalid(#[from] InvalidTuple),
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// What was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    pub count: usize,
    /// After the deletion, and its token.
    pub snapshot: Snapshot,
    pub token: String,
}

impl Permissions {
    /// Deletes the tuples that match; a query without parts matches all. Up to 10 000 tuples are deleted by one transaction, more
    /// of them by several, so that other writers need not wait long.
    pub async fn delete_relation_tuples(
        &self,
        cx: &Context,
        query: &TupleQuery,
    ) -> Result<Deletion, DeleteRelationTuplesError> {
        check_query(&self.models.current()?.model, query)?;
        let sealer = self.tokens.sealer(cx).await?;
        let (mut after, mut count) = (None, 0);
        loop {
            let (snapshot, deleted, next) = self.delete_some(cx, query, after).await?;
            count += deleted;
            after = next;
            if after.is_none() {
                return Ok(Deletion { count, snapshot, token: snaptoken(&sealer, cx.tenant, snapshot) });
            }
        }
    }

    /// One transaction, of tuples behind `after`: no earlier one matches any more. Returns how many it deleted and where the
    /// next one goes on.
    async fn delete_some(
        &self,
        cx: &Context,
        query: &TupleQuery,
        mut after: Option<TupleKey>,
    ) -> Result<(Snapshot, usize, Option<TupleKey>), database::Error> {
        // Expired tuples that the reaper has not deleted yet are deleted as well.
        const ALL: Timestamp = Timestamp::MIN;
        let mut tx = self.database.write(cx.tenant).await?;
        state::lock(&mut tx).await?;
        let (mut count, mut snapshot) = (0, None);
        while count < MOST_AT_ONCE {
            let page = PageRequest { size: BATCH_SIZE, after: after.take() };
            let found = relation_tuples::list(&mut tx, query, &page, ALL).await?;
            let keys: Vec<TupleKey> = found.items.iter().map(|stored| TupleKey::from(&stored.tuple)).collect();
            if !keys.is_empty() {
                let deleted = relation_tuples::delete(&mut tx, &keys).await?;
                count += deleted.keys.len();
                let change = RequestChange { inserted: Vec::new(), deleted: deleted.keys };
                snapshot = record(&mut tx, vec![(cx, change)], deleted.place).await?.pop();
            }
            after = found.next;
            if after.is_none() {
                break;
            }
        }
        let snapshot = match snapshot {
            Some(snapshot) => snapshot,
            None => state::snapshot(&mut tx).await?,
        };
        tx.commit().await?;
        self.graphs.acknowledge(cx.tenant, snapshot).await;
        Ok((snapshot, count, after))
    }
}
