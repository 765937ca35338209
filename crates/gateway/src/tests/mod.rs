//! The gateway on real sockets, before real upstreams on the loopback; whole rules against whole requests ([`pipeline`]).

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
