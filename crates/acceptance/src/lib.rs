//! The harness of the acceptance tests: a real server in this process, and the people and programs around it.
//!
//! What always holds:
//! - Each [`Suite`](suite::Suite) stands alone: its own ports, database, clock, randomness and mailbox. Any test runs
//!   alone, in any order, in parallel.
//! - Time stands still until a test moves it, and the same seed gives the same values.
//! - Everything talks to the loopback interface only.

pub mod browser;
pub mod chrome;
pub mod cookie_jar;
pub mod form;
pub mod look;
pub mod page;
pub mod ports;
pub mod private_authority;
pub mod smtp_sink;
pub mod suite;
pub mod upstream;
