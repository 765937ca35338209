//! Hostile input against the real server, over every listener and every route.
//!
//! What always holds, whatever arrives:
//! - There is an answer, or a closed connection where the protocol itself was broken; never a reset in the middle.
//! - What cannot be accepted is a 4xx in the error format of its listener, and names the field where one is at fault.
//! - Nothing is ever answered with a 5xx, and nothing panics anywhere in the process.
//!
//! Requests are written byte by byte ([`wire`]), because a tidy client would never send most of them. [`routes`] lists what
//! is served, [`world`] holds what exists there, [`verdict`] checks the answers.

mod cookies;
mod forms;
mod heads;
mod ids;
mod json;
mod oversized;
mod page_tokens;
mod panics;
mod routes;
mod slow_clients;

mod tokens;
mod urls;
mod verdict;
mod wire;
mod world;
