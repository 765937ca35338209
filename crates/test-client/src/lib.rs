//! Support for tests: a client of a router, the answer that it receives, and the cookies of a browser.
//!
//! Invariants:
//! - A failed expectation panics and prints the whole answer.
//! - The time is that of the test's clock, and nothing uses a network.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::return_self_not_must_use,
    reason = "only tests use this crate: a failed expectation fails the test"
)]

mod client;
mod cookie_jar;
mod reply;

pub use client::{Client, FORM, JSON, Kind, form};
pub use cookie_jar::{CookieJar, StoredCookie};
pub use reply::{Reply, parameter};
