//! Hostile input against the real server, on every listener and every route.
//!
//! Invariants for any input:
//! - There is an answer, or a closed connection if the protocol itself was violated; never a reset in the middle.
//! - A refusal is a 4xx in the error format of its listener, and names the field if there is one.
//! - No answer is a 5xx, and nothing panics in the process.
//!
//! Requests are written byte by byte ([`wire`]), because an HTTP client would not send most of them. [`routes`] lists the
//! routes, [`world`] contains the existing objects, [`verdict`] checks the answers.

mod cookies;
mod forms;
mod heads;
mod ids;
mod json;
mod oversized;
mod page_tokens;
mod panics;
mod permissions;
mod routes;
mod slow_clients;
mod tokens;
mod unfinished;
mod urls;
mod verdict;
mod wire;
mod world;
