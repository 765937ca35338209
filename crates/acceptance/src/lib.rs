//! The harness of the acceptance tests: a real server in this process, and browsers, programs and servers around it.
//!
//! Invariants:
//! - Each [`Suite`](suite::Suite) is independent: it has its own ports, database, clock, randomness and mailbox. Tests run
//!   alone, in any order, and in parallel.
//! - The time changes only when a test changes it, and the same seed gives the same values.
//! - All connections use the loopback interface.

pub mod browser;
pub mod chrome;
pub mod form;
pub mod look;
pub mod page;
pub mod private_authority;
pub mod smtp_sink;
pub mod suite;
pub mod upstream;
