//! Decisions about relation tuples: pure, without I/O.
//!
//! A [`schema::Schema`] is compiled from a model of the language. [`evaluation`] answers questions about it over a trait that
//! reads relation tuples; [`graph`] implements that trait in memory.

pub mod evaluation;
pub mod graph;
pub mod hashing;
pub mod ids;
pub mod names;
pub mod relation_tuple;
pub mod schema;
pub mod symbols;
