//! Ports for servers whose addresses are part of their configuration before they listen.
//!
//! They are below the range from which the system takes ports for outgoing connections, so that none is taken between its
//! choice and its use. Each is returned once in this process, and other processes begin with other ports.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 12_000;
const COUNT: u16 = 20_000;

/// The distance between the first ports of two processes.
const STRIDE: u32 = 211;

static GIVEN: AtomicU16 = AtomicU16::new(0);

/// A free port on loopback.
pub fn free_port() -> u16 {
    let start = std::process::id().wrapping_mul(STRIDE) % u32::from(COUNT);
    let mut ports = (0..COUNT).map(|_| {
        let given = u32::from(GIVEN.fetch_add(1, Ordering::Relaxed));
        FIRST + u16::try_from((start + given) % u32::from(COUNT)).unwrap()
    });
    ports.find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_port_is_returned_once() {
        assert_ne!(free_port(), free_port());
    }
}
