//! The identity service: sign-in, registration, recovery, verification, settings, sessions, and the admin API over
//! identities (wire-compatible with Ory Kratos).
//!
//! Invariants:
//! - Responses to strangers do not reveal whether an account exists. Where the wire contract reveals it,
//!   `docs/compatibility.md` documents it.
//! - Passwords are hashed in a pool with limited threads and memory. Session tokens are stored as digests.
//! - Addresses and identifiers are derived from the traits by one validator, for every write.
//! - A state change writes its event in the same transaction; mail is a job of that transaction.

pub mod components;
pub mod config;
mod definition;
pub mod domain;
mod flows;
mod http;
mod jobs;
pub mod methods;
pub mod operations;
mod pages;
mod service;
pub mod storage;

pub use components::schemas::SchemaLoadError;
pub use config::Config;
pub use definition::DEFINITION;
pub use service::{ConfigError, ConfigErrors, Identity, Parts};
pub use storage::{ALL as STATEMENTS, RETENTION};

pub const MIGRATIONS: database::MigrationSet = database::migrations! {
    "identity",
    [
        1 => "0001_identities.sql",
        2 => "0002_sessions.sql",
        3 => "0003_flows.sql",
        4 => "0004_messages.sql",
        5 => "0005_attempt_limits.sql",
        6 => "0006_identity_versions.sql",
        7 => ("0007_lists.sqlite.sql", "0007_lists.postgres.sql"),
        8 => "0008_totp.sql",
        9 => "0009_address_proved.sql",
        10 => ("0010_session_devices.sqlite.sql", "0010_session_devices.postgres.sql"),
    ]
};

#[cfg(test)]
mod tests;
