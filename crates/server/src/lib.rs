//! Kleis as a program: configuration, wiring, listeners, command line.
//!
//! What always holds:
//! - Everything is checked before a port is bound; every fault is reported at once.
//! - An admin listener that strangers could reach is guarded, or the start fails.
//! - Only this crate reads the environment, configuration files and signals.

pub mod cli;
pub mod config;
pub mod data_dir;
mod demo;
mod http;
pub mod reference;
mod remote_services;
mod services;
mod storage;
#[cfg(test)]
mod texts;
pub mod trust;
mod wiring;

pub use http::socket::Address;
pub use wiring::{Addresses, Environment, Running, SecretsError, StartError, start};

/// The version of this build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
