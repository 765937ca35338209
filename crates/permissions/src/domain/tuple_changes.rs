//! Changes of relation tuples that are made together.
//!
//! All insertions are made before all deletions, whatever their order in the request: a tuple that is inserted and deleted by
//! one request does not exist afterwards.

use std::collections::BTreeMap;

use super::relation_tuple::{RelationTuple, StoredTuple};
use super::tuple_key::TupleKey;
use super::tuple_record::TupleRecord;

/// A change of one relation tuple.
#[derive(Clone, Debug, PartialEq)]
pub enum TupleChange {
    /// Inserts the tuple, or replaces the condition and the expiry of the existing one.
    Insert(StoredTuple),
    Delete(RelationTuple),
}

/// What remains to be written: each key once.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct NetChanges {
    pub inserts: BTreeMap<TupleKey, TupleRecord>,
    /// In the order of the keys.
    pub deletes: Vec<TupleKey>,
}

impl NetChanges {
    /// Of several insertions of one tuple the last one counts.
    pub fn of(changes: &[TupleChange]) -> Self {
        let mut net = Self::default();
        for change in changes {
            match change {
                TupleChange::Insert(stored) => {
                    net.inserts.insert(TupleKey::from(&stored.tuple), TupleRecord::from(stored));
                }
                TupleChange::Delete(tuple) => net.deletes.push(TupleKey::from(tuple)),
            }
        }
        net.deletes.sort_unstable();
        net.deletes.dedup();
        for key in &net.deletes {
            net.inserts.remove(key);
        }
        net
    }

    pub fn keys(&self) -> impl Iterator<Item = &TupleKey> {
        self.inserts.keys().chain(&self.deletes)
    }

    /// The number of tuples.
    pub fn len(&self) -> usize {
        self.inserts.len() + self.deletes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use base::Timestamp;

    use super::*;
    use crate::domain::relation_tuple::Subject;

    fn tuple(object: &str) -> RelationTuple {
        let subject = Subject::Id("ada".into());
        RelationTuple { namespace: "Doc".into(), object: object.into(), relation: "viewer".into(), subject }
    }

    #[test]
    fn deletions_win_and_the_last_insertion_of_a_tuple_counts() {
        let insert = |object: &str, expires_at: Option<i64>| {
            let expires_at = expires_at.map(Timestamp::from_unix_seconds);
            TupleChange::Insert(StoredTuple { expires_at, ..StoredTuple::from(tuple(object)) })
        };
        let delete = |object: &str| TupleChange::Delete(tuple(object));
        let net = NetChanges::of(&[
            delete("b"),
            delete("a"),
            insert("a", None),
            insert("c", None),
            insert("c", Some(1)),
            delete("a"),
        ]);
        let inserts: Vec<_> = net.inserts.values().map(|it| (it.1.as_str(), it.8)).collect();
        assert_eq!(inserts, [("c", Some(1_000_000))]);
        let deletes: Vec<_> = net.deletes.iter().map(|it| it.1.as_str()).collect();
        assert_eq!(deletes, ["a", "b"]);
    }
}
