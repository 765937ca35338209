//! Tests of command lines, run with the real program.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails, fails the test")]

mod admin;
mod large_sets;
mod lines;
mod permissions;
mod program;
mod questions;
mod tuples;
