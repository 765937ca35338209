//! Support for tests: a client of a router, the answer that it receives, the cookies of a browser, configurations, and free ports.
//!
//! Invariants:
//! - A failed expectation panics and prints the whole answer.
//! - The time is that of the test's clock, and nothing but the choice of a port uses a network.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::return_self_not_must_use,
    reason = "only tests use this crate: a failed expectation fails the test"
)]

mod client;
mod cookie_jar;
mod merge;
mod ports;
mod reply;

pub use client::{Client, FORM, JSON, Kind};
pub use cookie_jar::{CookieJar, StoredCookie};
pub use merge::merge;
pub use ports::free_port;
pub use reply::{Reply, parameter};
