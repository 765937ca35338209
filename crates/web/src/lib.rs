//! HTTP code that every service shares: the edge of a request, errors, cookies, paging, input, and the client for outbound
//! calls.
//!
//! Invariants:
//! - Forwarded headers are trusted only if the peer is a listed proxy ([`TrustedProxies`]).
//! - A body is read up to a limit and within a time; an error names its field.
//! - Outbound calls are bounded in time and bytes, follow no redirect, and can be restricted to public addresses.
//! - This crate does not depend on a service.

pub mod bounds;
pub mod config;
pub mod cookies;
mod cors;
mod database_fault;
mod edge;
mod input;
pub mod jwks;
pub mod language;
pub mod listener;
pub mod media_types;
pub mod middleware;
mod no_store;
pub mod outbound;
pub mod paging;
mod private_keys;
mod progress;
mod proxies;
pub mod regular_files;
mod rest_error;
mod retry_after;
pub mod rpc;

pub use cors::{CorsConfig, matches_origin};
pub use database_fault::DatabaseFault;
pub use edge::{Cx, Edge, PeerAddress};
pub use input::{BodyRejection, Json, JsonRejection, check_json, read_body};
pub use no_store::NoStore;
pub use private_keys::MayReadPrivateKeys;
pub use progress::{BodyFailure, BodyProgress, MemoryFull};
pub use proxies::{InvalidNetwork, Network, RequestOrigin, TrustedProxies};
pub use rest_error::{ErrorId, RestError};
pub use retry_after::retry_after_seconds;
