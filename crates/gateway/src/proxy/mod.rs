//! The core of the reverse proxy: forwards an allowed request and returns the upstream's response, streamed in both
//! directions.
//!
//! Invariants:
//! - Hop-by-hop fields are not forwarded, in either direction.
//! - A transfer that makes progress is never aborted; one that stalls is.
//! - A request with a safe method and no body is retried once, on a fresh connection, when a kept-alive connection was
//!   closed before any byte of the response arrived. No other request is retried.
//! - Errors distinguish who aborted: the client (499), the upstream (502), or a timeout (504, 408).

mod body;
mod forward;
mod headers;
mod held_body;

pub(crate) use forward::{ForwardRequest, Proxy};
