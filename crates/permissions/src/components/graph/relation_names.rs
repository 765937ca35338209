//! Bounds the names of relations that relation tuples bring to a tenant. A graph has 15 bits for the number of a name, and the
//! relation tuples of more names are not kept in memory, so that searches have no answer. A relation that the model declares is always
//! accepted.
//!
//! Invariant: what this process inserts leaves numbers for the names of models, and for what other processes insert at the same
//! time.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::symbols::Symbols;

/// The most names that insertions may bring the model and the relation tuples of a tenant to.
pub(crate) const MOST_NAMES: usize = 30_000;
/// The most names of insertions while the relation tuples are not in memory yet: how many there are is not known.
pub(crate) const MOST_NAMES_WHILE_LOADING: usize = 1_000;
/// The graph has a name by then if its insertion was committed.
const COUNTS_FOR: Duration = Duration::from_mins(1);

/// Why a name is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TooManyRelations {
    #[error(
        "relation tuples and the permission model must not have more than {MOST_NAMES} different names of relations; use a name \
         that exists, or delete the relation tuples of other names"
    )]
    AtTheBound,
    #[error(
        "relation tuples must not bring more than {MOST_NAMES_WHILE_LOADING} names of relations that the permission model does not \
         declare while those of the database are read; try again in some seconds"
    )]
    WhileLoading,
}

/// The names that were accepted and that the graph may not have yet.
#[derive(Default)]
pub(super) struct Accepted(Mutex<HashMap<Box<str>, Instant>>);

impl Accepted {
    /// `symbols` are those of the graph, if there is one, or of the model where there are no tuples. The error has the position of
    /// the first name that is too many.
    pub(super) fn accept(&self, symbols: Option<&Symbols>, names: &[&str]) -> Result<(), (usize, TooManyRelations)> {
        let now = Instant::now();
        let mut accepted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = |name: &str| symbols.is_some_and(|symbols| symbols.relation(name).is_some());
        if symbols.is_some() {
            accepted.retain(|name, at| !is_known(name) && now.duration_since(*at) < COUNTS_FOR);
        }
        let (known, most, error) = match symbols {
            Some(symbols) => (symbols.relation_count(), MOST_NAMES, TooManyRelations::AtTheBound),
            None => (0, MOST_NAMES_WHILE_LOADING, TooManyRelations::WhileLoading),
        };
        let mut new = HashSet::new();
        for (position, name) in names.iter().enumerate() {
            let is_new = !is_known(name) && !accepted.contains_key(*name) && new.insert(*name);
            if is_new && known + accepted.len() + new.len() > most {
                return Err((position, error));
            }
        }
        accepted.extend(new.into_iter().map(|name| (name.into(), now)));
        Ok(())
    }
}
