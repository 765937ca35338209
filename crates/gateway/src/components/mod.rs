//! The stateful parts of the gateway. The service value and the rules are composed of them.
//!
//! Invariant: none depends on the pipeline, the proxy or the service value.

pub(crate) mod expiring_cache;
pub(crate) mod repositories;
pub(crate) mod signing_keys;
pub(crate) mod tunnels;
pub(crate) mod upstream_clients;
pub(crate) mod verified_tokens;
