//! The program `kleis`: configuration, wiring, listeners, command line.
//!
//! Invariants:
//! - Everything is checked before the database is written or a request is served; all faults are reported together.
//! - An admin listener that strangers could reach requires authentication, or the start fails.
//! - Only this crate reads the environment, configuration files and signals.

pub mod cli;
pub mod config;
pub mod data_dir;
mod demo;
mod http;
pub mod reference;
mod remote_services;
mod services;
mod spelling;
mod storage;
pub mod trust;
mod wiring;

pub use http::socket::Address;
pub use wiring::{Addresses, Environment, Running, SecretsError, StartError, start};

/// The version of this build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

#[cfg(test)]
mod tests;
