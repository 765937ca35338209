//! The gateway on real sockets, with real upstreams on loopback.

mod authorization;
mod decisions;
pub(crate) mod fixtures;
mod guide;
pub(crate) mod harness;
mod pipeline;
mod proxy;
mod reload;
mod semantics;
mod tunnels;
