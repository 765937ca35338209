//! Decisions about relation tuples: pure, without I/O.

pub mod condition;
pub mod relation_tuple;
