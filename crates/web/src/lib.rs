//! HTTP manners that every service shares: the edge of a request, errors, cookies, paging, forms of input, and the one
//! client for calls to the outside.
//!
//! What always holds:
//! - Nothing believes a forwarded header unless the peer is a listed proxy ([`TrustedProxies`]).
//! - A body is read up to a limit and within a time; a fault in it is answered with the name of the field.
//! - Calls to the outside end in bounded time and bounded bytes, follow no redirect, and avoid private addresses when told.
//! - This crate knows no service.

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
mod no_store;
pub mod outbound;
pub mod paging;
mod private_keys;
mod progress;
mod proxies;
mod rest_error;
mod retry_after;

pub use cors::{CorsConfig, matches_origin};
pub use database_fault::DatabaseFault;
pub use edge::{Cx, Edge, PeerAddress};
pub use input::{BodyRejection, Json, JsonRejection, read_body};
pub use no_store::NoStore;
pub use private_keys::MayReadPrivateKeys;
pub use progress::BodyProgress;
pub use proxies::{InvalidNetwork, Network, RequestOrigin, TrustedProxies};
pub use rest_error::{ErrorId, RestError};
pub use retry_after::retry_after_seconds;
