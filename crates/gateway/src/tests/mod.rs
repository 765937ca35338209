//! The gateway on real sockets, before real upstreams on the loopback.

mod authorization;
mod decisions;
mod guide;
pub(crate) mod harness;
mod proxy;
mod reload;
mod semantics;
mod tunnels;
