//! The gateway on real sockets, before real upstreams on the loopback.

mod decisions;
mod guide;
mod harness;
mod proxy;
mod reload;
mod semantics;
mod tunnels;
