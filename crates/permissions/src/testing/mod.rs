//! What proves the answers of the evaluation: a reference that is written straight from the definition, random models and
//! tuples, and the comparison of every reader with the reference.
//!
//! Nothing here is used by the service.

pub mod differential;
pub mod generator;
pub mod list_reader;
pub mod mismatch;
pub mod reference;
pub mod reference_model;
mod reverse_differential;
pub(crate) mod store;
pub mod stratification;
pub mod world;
