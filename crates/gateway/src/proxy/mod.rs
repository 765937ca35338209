//! The reverse proxy's core: from a request that was let through to the upstream's answer, streamed in both directions.
//!
//! What always holds:
//! - Fields that belong to a connection are not forwarded, in either direction.
//! - A transfer that moves is never cut; one that stands still is.
//! - A request without a body whose method is safe is sent again, once and on a fresh connection, when a kept connection
//!   was closed before any byte of the answer came. No other request is.
//! - Whoever broke off is told apart: the client (499), the upstream (502), or time (504, 408).

mod body;
mod forward;
mod headers;
mod held_body;

pub(crate) use forward::{ForwardRequest, Proxy};
