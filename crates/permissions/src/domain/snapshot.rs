//! A snapshot: the state of a tenant's relation tuples after a change.

/// The sequence of the change in the event log. 0 is the state before the first change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Snapshot(pub i64);
