//! The parts of the gateway that hold state: each is a value of its own, which the service value or the rules are made of.
//!
//! What always holds: none knows the pipeline, the proxy or the service value.

pub(crate) mod expiring_cache;
pub(crate) mod repositories;
pub(crate) mod signing_keys;
pub(crate) mod tunnels;
pub(crate) mod upstream_clients;
pub(crate) mod verified_tokens;
