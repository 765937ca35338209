//! Ports for servers whose addresses stand in their configuration before they listen.
//!
//! They lie below the range from which the system takes ports for outgoing connections, so that none is taken between
//! its choice and its use; each is given once in this process, and another process begins elsewhere.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Result, bail};

const FIRST: u32 = 12_000;
const COUNT: u32 = 20_000;

/// How far apart two processes begin.
const STRIDE: u32 = 211;

static GIVEN: AtomicU32 = AtomicU32::new(0);

/// A port on which nobody listens.
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
    fn each_port_is_given_once() {
        assert_ne!(free().unwrap(), free().unwrap());
    }
}
