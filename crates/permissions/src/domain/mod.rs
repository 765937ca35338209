//! Decisions about relation tuples: pure, without I/O.

pub mod relation_tuple;
