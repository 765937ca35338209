//! The service `permissions`: whether a subject has a relation to an object, or a permission on it. It has the API and the
//! configuration of Ory Keto.
//!
//! Invariants:
//! - A relation tuple exists once. Writing it again replaces its condition and its expiry.
//! - A change of relation tuples and its event are one transaction; the sequences of these events become visible in their
//!   order.
//! - The permission model is replaced as a whole. A model that cannot be loaded changes nothing.

mod components;
mod config;
mod definition;
pub mod domain;
mod grpc;
mod http;
mod jobs;
pub mod operations;
mod service;
pub mod storage;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use components::graph::{Absence, GraphStatistics};
pub use components::models::{FolderError, ModelFault, Unloaded, files_below};
pub use components::tokens::InvalidSnaptoken;
pub use config::Config;
pub use definition::DEFINITION;
pub use grpc::messages;
pub use service::{Parts, Permissions};
pub use storage::RETENTION;

pub const MIGRATIONS: database::MigrationSet = database::migrations! {
    "permissions",
    [1 => ("0001_relation_tuples.sqlite.sql", "0001_relation_tuples.postgres.sql")]
};
