//! Decisions about relation tuples: pure, without I/O.
//!
//! A [`schema::Schema`] is compiled from a model of the language. [`evaluation`] answers questions about it over a trait that
//! reads relation tuples; [`graph`] implements that trait in memory.

pub mod access;
pub mod checked_model;
pub mod condition;
pub mod consistency;
pub mod evaluation;
pub mod event;
pub mod explanation_text;
pub mod graph;
pub mod hashing;
pub mod ids;
pub mod invalid_tuple;
pub mod model_test;
pub mod names;
pub mod relation_tuple;
pub mod request_conditions;
pub mod reverse_question;
pub mod schema;
pub mod snapshot;
pub mod subject_map;
pub mod symbols;
pub mod tuple_changes;
pub mod tuple_key;
pub mod tuple_query;
pub mod tuple_record;
pub mod tuple_text;
pub mod unique_names;
pub mod withdrawn_types;
pub mod write_validation;
