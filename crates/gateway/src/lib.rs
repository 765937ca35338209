//! The identity-aware gateway: a reverse proxy and a decision API in front of services that should not have to know who
//! may do what (`/decisions`, access rules, and the configuration keys of Ory Oathkeeper).
//!
//! What always holds:
//! - A request is read in one way ([`domain`](self)): what is matched is what is forwarded, and what could be read in two
//!   ways is refused with 400.
//! - Exactly one rule decides. No rule is 404, two are 500.
//! - A header that any rule sets reaches an upstream only with the gateway's value.
//! - Rules change all at once; a document that cannot be read changes nothing.

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
