//! Ports for servers whose addresses are part of their configuration before they listen.
//!
//! They are below the range from which the system takes ports for outgoing connections, so that none is taken between its
//! choice and its use. Each is returned once in this process, and other processes begin with other ports.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Result, bail};

const FIRST: u32 = 12_000;
const COUNT: u32 = 20_000;

/// The distance between the first ports of two processes.
const STRIDE: u32 = 211;

static GIVEN: AtomicU32 = AtomicU32::new(0);

/// A free port.
pub fn free() -> Result<u16> {
    let offset = std::process::id().wrapping_mul(STRIDE);
    for _ in 0..COUNT {
        let number = FIRST + offset.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = u16::try_from(number)?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_port_is_returned_once() {
        assert_ne!(free().unwrap(), free().unwrap());
    }
}
