//! Decisions about relation tuples: pure, without I/O.

pub mod condition;
pub mod event;
pub mod invalid_tuple;
pub mod relation_tuple;
pub mod snapshot;
pub mod tuple_changes;
pub mod tuple_key;
pub mod tuple_query;
pub mod tuple_record;
pub mod write_validation;
