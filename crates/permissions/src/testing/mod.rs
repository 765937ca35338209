//! What proves the answers of the evaluation: a reference that is written straight from the definition, random models and
//! tuples, and the comparison of every reader with the reference.
//!
//! [`conformance`] is the list of questions. The readers in memory run it in [`differential`], a service with its database in
//! [`service_differential`].
//!
//! Nothing here is used by the service.

pub(crate) mod conformance;
pub mod differential;
pub mod generator;
pub mod list_reader;
pub mod mismatch;
mod readers;
pub mod reference;
pub mod reference_model;
mod reverse_differential;
pub mod service;
pub mod service_differential;
pub(crate) mod store;
pub mod stratification;
pub mod world;
