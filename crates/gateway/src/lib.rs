//! The identity-aware gateway: a reverse proxy and a decision API that authenticate and authorize requests for the services
//! behind them (`/decisions`, access rules, and the configuration keys of Ory Oathkeeper).
//!
//! Invariants:
//! - A request has one interpretation: the gateway forwards what it matched, and rejects ambiguous requests with 400.
//! - Exactly one rule applies. No rule is 404, two are 500.
//! - A header that any rule sets reaches an upstream only with the gateway's value.
//! - Rules are replaced atomically; a document that cannot be read changes nothing.

mod components;
mod config;
mod definition;
mod domain;
mod http;
mod jobs;
mod operations;
mod pipeline;
mod proxy;
mod service;
#[cfg(feature = "testing")]
pub mod testing;

pub use components::repositories::RepositoryError;
pub use components::signing_keys::IN_PROCESS_KEYS;
pub use config::{AccessRules, ApiListener, Config, Errors, Handler, Handlers, ProxyListener, Serve, Timeouts};
pub use definition::DEFINITION;
pub use domain::pattern::MatchingStrategy;
pub use domain::upstream::UpstreamPaths;
pub use operations::load_rules::LoadError;
pub use pipeline::LocalServices;
pub use service::{ConfigError, Gateway, Parts, Readiness};

#[cfg(test)]
#[expect(clippy::needless_pass_by_value, reason = "test data is written where it is used")]
mod tests;
