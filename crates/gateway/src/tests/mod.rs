//! The gateway on real sockets, before real upstreams on the loopback.

mod decisions;
mod harness;
mod proxy;
mod reload;
mod semantics;
