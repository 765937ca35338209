//! Gives plain subject ids a type: they become objects of a namespace. A page of relation tuples at a time, each in one
//! transaction.
//!
//! Invariants:
//! - A tuple keeps its condition and its expiry.
//! - A tuple that was deleted meanwhile is not written again: the page is read once more while no one else writes.
//! - Running it again continues, because a migrated tuple has no subject id any more.

use base::{Context, PageRequest};
use database::Read;

use crate::Permissions;
use crate::components::change::{RequestChange, record};
use crate::components::models::{LoadedModel, Unloaded};
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::relation_tuple::{RelationTuple, StoredTuple, Subject, SubjectSet};
use crate::domain::subject_map::SubjectMap;
use crate::domain::tuple_key::TupleKey;
use crate::domain::tuple_query::TupleQuery;
use crate::domain::tuple_record::TupleRecord;
use crate::domain::write_validation::check_set;
use crate::storage::reads::{self, Reads};
use crate::storage::relation_tuples::ChangedKeys;
use crate::storage::{relation_tuples, state};

/// The relation tuples of a page. Each is deleted and inserted at most once, which is one statement for all of them.
const PAGE: u32 = 500;
const _: () = assert!(PAGE as usize <= relation_tuples::BATCH);

/// What became of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrated {
    /// The relation tuples of the page.
    pub read: usize,
    /// Those whose subject was replaced, or would be.
    pub migrated: usize,
    /// Those that match and stay as they are, with the reason.
    pub left: Vec<(RelationTuple, String)>,
    /// Where the next page goes on; `None` after the last one.
    pub next: Option<TupleKey>,
}

#[derive(Debug, thiserror::Error)]
pub enum MigrateSubjectsError {
    #[error(transparent)]
    Unloaded(#[from] Unloaded),
    /// `index` is the position of the map whose namespace does not exist.
    #[error("{invalid}")]
    Invalid { index: usize, invalid: InvalidTuple },
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// The changes of a page.
#[derive(Default)]
struct Plan {
    inserts: Vec<TupleRecord>,
    deletes: Vec<TupleKey>,
    outcome: Migrated,
}

/// A tuple that matches, and what it becomes.
struct Candidate {
    old: RelationTuple,
    new: StoredTuple,
}

impl Permissions {
    /// Migrates the matching subject ids of one page. The first map that matches counts. A dry run changes nothing.
    pub async fn migrate_subjects(
        &self,
        cx: &Context,
        maps: &[SubjectMap],
        after: Option<TupleKey>,
        is_dry_run: bool,
    ) -> Result<Migrated, MigrateSubjectsError> {
        let model = self.models.current()?;
        for (index, SubjectMap { namespace, .. }) in maps.iter().enumerate() {
            let set = SubjectSet { namespace: namespace.clone(), object: String::new(), relation: String::new() };
            check_set(&model.model, &set).map_err(|invalid| MigrateSubjectsError::Invalid { index, invalid })?;
        }
        let page = PageRequest { size: PAGE, after };
        let plan = self.plan(&mut self.database.read(cx.tenant), cx, (&model, maps), &page).await?;
        // Most pages have nothing to change, and other writers need not wait for them.
        if is_dry_run || plan.deletes.is_empty() {
            return Ok(plan.outcome);
        }
        self.tokens.sealer(cx).await?;
        let mut tx = self.database.write(cx.tenant).await?;
        state::lock(&mut tx).await?;
        let Plan { inserts, deletes, outcome } = self.plan(&mut tx, cx, (&model, maps), &page).await?;
        let inserted = if inserts.is_empty() {
            ChangedKeys::default()
        } else {
            relation_tuples::upsert(&mut tx, &inserts.iter().collect::<Vec<_>>()).await?
        };
        let deleted = relation_tuples::delete(&mut tx, &deletes).await?;
        let change = RequestChange { inserted: inserts, deleted: deleted.keys };
        let recorded = record(&mut tx, vec![(cx, change)], inserted.place.and(deleted.place)).await?;
        let snapshot = recorded.into_iter().next_back().unwrap_or_default();
        tx.commit().await?;
        self.graphs.acknowledge(cx.tenant, snapshot).await;
        Ok(outcome)
    }

    async fn plan(
        &self,
        tx: &mut impl Read,
        cx: &Context,
        (model, maps): (&LoadedModel, &[SubjectMap]),
        page: &PageRequest<TupleKey>,
    ) -> Result<Plan, database::Error> {
        let found = relation_tuples::list(tx, &TupleQuery::default(), page, cx.now).await?;
        let read = found.items.len();
        let mut plan = Plan { outcome: Migrated { read, next: found.next, ..Migrated::default() }, ..Plan::default() };
        let candidates: Vec<Candidate> = found.items.into_iter().filter_map(|it| candidate(maps, it)).collect();
        if candidates.is_empty() {
            return Ok(plan);
        }
        let tuples = candidates.iter().map(|it| TupleKey::from(&it.new.tuple)).collect();
        let existing = reads::perform(tx, &Reads { tuples, ..Reads::default() }, cx.now).await?.tuples;
        for (Candidate { old, new }, existing) in candidates.into_iter().zip(existing) {
            match existing {
                Some(terms) if terms.condition == new.condition && terms.expires_at == new.expires_at => {}
                Some(_) => {
                    let reason = format!(
                        "{} exists already, with another condition or expiry: delete one of the two",
                        new.tuple
                    );
                    plan.outcome.left.push((old, reason));
                    continue;
                }
                None => match self.write_rules.check(&model.model, &new, cx.now) {
                    Ok(()) => plan.inserts.push(TupleRecord::from(&new)),
                    Err(invalid) => {
                        plan.outcome.left.push((old, invalid.to_string()));
                        continue;
                    }
                },
            }
            plan.outcome.migrated += 1;
            plan.deletes.push(TupleKey::from(&old));
        }
        Ok(plan)
    }
}

fn candidate(maps: &[SubjectMap], stored: StoredTuple) -> Option<Candidate> {
    let Subject::Id(id) = &stored.tuple.subject else { return None };
    let subject = maps.iter().find_map(|map| map.subject_of(id))?;
    let old = stored.tuple.clone();
    let new = StoredTuple { tuple: RelationTuple { subject, ..stored.tuple }, ..stored };
    Some(Candidate { old, new })
}
