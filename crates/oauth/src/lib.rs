//! OAuth 2.0 and OpenID Connect: clients request access on behalf of users or for themselves, and receive tokens
//! (RFC 6749, 6750, 7009, 7523, 7636, 7662, 8414, 9207, 9700; OpenID Connect Core, Discovery, RP-Initiated, Front-Channel
//! and Back-Channel Logout).
//!
//! Invariants:
//! - One row per authorization, none per access token. The end of a grant ends its tokens at once.
//! - An authorization code is redeemed once; a refresh token has at most one successor.
//! - Nothing is granted beyond what the client registered and requested, and the user consented to.

mod components;
mod config;
mod definition;
pub mod domain;
mod http;
mod jobs;
pub mod operations;
mod pages;
mod service;
pub mod storage;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use http::PATHS_OF_CLIENTS;

pub use config::{Config, ConfigError};
pub use definition::DEFINITION;
pub use service::{OAuth, Parts};
pub use storage::RETENTION;

pub const MIGRATIONS: database::MigrationSet = database::migrations! {
    "oauth",
    [1 => "0001_oauth.sql", 2 => "0002_login_challenges.sql", 3 => "0003_provider_ends.sql", 4 => "0004_lists.sql"]
};
