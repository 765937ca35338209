//! Bounds the names of relations that relation tuples bring to a tenant. A graph has 15 bits for the number of a name, and the
//! relation tuples of more names are not kept in memory, so that searches have no answer. A relation that the model declares is always
//! accepted.
//!
//! Invariant: what this process inserts leaves numbers for the names of models, and for what other processes insert at the same
//! time.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
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
        "the permission model alone has {MOST_NAMES} different names of relations or more, and so relation tuples must not have \
         others; use a relation that the model declares"
    )]
    OfModel,
    #[error(
        "relation tuples must not bring more than {MOST_NAMES_WHILE_LOADING} names of relations that the permission model does not \
         declare while those of the database are read; try again in some seconds"
    )]
    WhileLoading,
}

/// The names that were accepted and that the graph may not have yet.
#[derive(Default)]
pub(super) struct Accepted(Mutex<Names>);

#[derive(Default)]
struct Names {
    waiting: HashMap<Arc<str>, Instant>,
    /// In the order of the times. A name that does not wait any more stays until its time.
    by_time: VecDeque<(Instant, Arc<str>)>,
    /// How many names of the graph were looked at, and the last of them. Another graph rarely has the same name in that place; if it
    /// does, names that wait and that it has count twice until their time.
    looked_at: (usize, Box<str>),
}

impl Accepted {
    /// `symbols` are those of the graph, if there is one, or of the model where there are no tuples. The error has the position of
    /// the first name that is too many.
    pub(super) fn accept(
        &self,
        of_model: &Symbols,
        symbols: Option<&Symbols>,
        names: &[&str],
    ) -> Result<(), (usize, TooManyRelations)> {
        let now = Instant::now();
        let mut accepted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, most, error) = if let Some(symbols) = symbols {
            accepted.forget(symbols, now);
            let is_full = of_model.relation_count() >= MOST_NAMES;
            let error = if is_full { TooManyRelations::OfModel } else { TooManyRelations::AtTheBound };
            (symbols.relation_count(), MOST_NAMES, error)
        } else {
            // Names that the next graph has are accepted now.
            accepted.looked_at = (0, "".into());
            (0, MOST_NAMES_WHILE_LOADING, TooManyRelations::WhileLoading)
        };
        let is_known = |name: &str| symbols.is_some_and(|symbols| symbols.relation(name).is_some());
        let mut new = HashSet::new();
        for (position, name) in names.iter().enumerate() {
            let is_new = !is_known(name) && !accepted.waiting.contains_key(*name) && new.insert(*name);
            if is_new && known + accepted.waiting.len() + new.len() > most {
                return Err((position, error));
            }
        }
        for name in new {
            let name: Arc<str> = name.into();
            accepted.by_time.push_back((now, name.clone()));
            accepted.waiting.insert(name, now);
        }
        Ok(())
    }
}

impl Names {
    /// Removes the names that the graph has or that waited long enough. Each name is looked at once in the graph, and once for its
    /// time. Returns how many were looked at.
    fn forget(&mut self, symbols: &Symbols, now: Instant) -> usize {
        let mut steps = 0;
        let (count, last) = &self.looked_at;
        let is_same_graph = *count > 0 && symbols.relation_names_from(count - 1).next() == Some(&**last);
        let mut newest = None;
        for name in symbols.relation_names_from(if is_same_graph { *count } else { 0 }) {
            self.waiting.remove(name);
            newest = Some(name);
            steps += 1;
        }
        if let Some(name) = newest {
            self.looked_at = (symbols.relation_count(), name.into());
        }
        while let Some((at, name)) = self.by_time.pop_front_if(|(at, _)| now.duration_since(*at) >= COUNTS_FOR) {
            // It may have been accepted again.
            if self.waiting.get(&name) == Some(&at) {
                self.waiting.remove(&name);
            }
            steps += 1;
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_name_is_looked_at_once_however_many_wait() {
        let accepted = Accepted::default();
        let names: Vec<String> = (0..20_000).map(|number| format!("r{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let with = |names: &[&str]| {
            let mut symbols = Symbols::default();
            for name in names {
                symbols.intern_relation(name).unwrap();
            }
            symbols
        };
        // How many names are looked at, and how many wait then.
        let look = |symbols: &Symbols| {
            let mut names = accepted.0.lock().unwrap();
            (names.forget(symbols, Instant::now()), names.waiting.len())
        };
        // The empty name is that of no relation.
        let none = with(&[]);
        accepted.accept(&none, Some(&none), &names).unwrap();
        assert_eq!(look(&none), (0, 20_000));
        let first = with(&names[..5]);
        assert_eq!(look(&first), (5, 19_995));
        assert_eq!(look(&first), (0, 19_995));
        let another = with(&names[3..10]);
        assert_eq!(look(&another), (8, 19_990), "all names of another graph are looked at");
        assert_eq!(look(&another), (0, 19_990));

        tokio::time::advance(COUNTS_FOR / 2).await;
        accepted.accept(&none, Some(&another), &["later", "r0"]).unwrap();
        tokio::time::advance(COUNTS_FOR / 2).await;
        assert_eq!(look(&another), (20_000, 2));
        assert_eq!(look(&another), (0, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn only_names_of_tuples_can_be_deleted_to_make_room_for_others() {
        let with = |count: usize| {
            let mut symbols = Symbols::default();
            // The empty name has a number as well.
            for number in 1..count {
                symbols.intern_relation(&format!("r{number}")).unwrap();
            }
            symbols
        };
        let (fits, full) = (with(MOST_NAMES - 1), with(MOST_NAMES));
        for (of_model, graph, expected) in [
            (&fits, &fits, Ok(())),
            (&fits, &full, Err((0, TooManyRelations::AtTheBound))),
            (&full, &full, Err((0, TooManyRelations::OfModel))),
        ] {
            assert_eq!(Accepted::default().accept(of_model, Some(graph), &["new"]), expected);
        }
        assert!(!TooManyRelations::OfModel.to_string().contains("delete"));
        assert!(TooManyRelations::AtTheBound.to_string().contains("delete"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_was_accepted_while_the_graph_was_loaded_again_does_not_count_twice() {
        let accepted = Accepted::default();
        let none = Symbols::default();
        let mut graph = none.clone();
        graph.intern_relation("known").unwrap();
        accepted.accept(&none, Some(&graph), &["new"]).unwrap();
        accepted.accept(&none, None, &["known"]).unwrap();
        accepted.accept(&none, Some(&graph), &[]).unwrap();
        let waiting: Vec<String> = accepted.0.lock().unwrap().waiting.keys().map(ToString::to_string).collect();
        assert_eq!(waiting, ["new"]);
    }
}
