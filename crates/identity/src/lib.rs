//! Identity: who are you? Sign-in, registration, recovery, verification, settings, sessions, and the admin API over
//! identities (wire-compatible with Ory Kratos).
//!
//! What always holds:
//! - No answer tells a stranger whether an account exists; where the wire contract leaks, `docs/compatibility.md` says so.
//! - A password is hashed in a pool of bounded threads and memory; a session token rests as its digest.
//! - Addresses and identifiers follow from the traits by one validator, whoever writes them.
//! - A change of state writes its event in the same transaction; mail is a job of that transaction.

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

/// The names of the texts that this service shows, besides those of `ui`.
pub fn text_names() -> Vec<ui::TextName> {
    components::courier::text_names()
}

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
    ]
};
