//! The gateway on real sockets, with real upstreams on loopback.

mod authorization;
mod decisions;
mod guide;
pub(crate) mod harness;
mod proxy;
mod reload;
mod semantics;
mod tunnels;
