//! Tests of a permission model: relation tuples, questions, and the answers that they must have.
//!
//! Specification: the README, section *Tests of a model*. The answers are those of the service for the same model, tuples, time and
//! attributes.
//!
//! Invariants:
//! - A mistake in the test file, such as a namespace that the model does not have, is a fault and no answer.
//! - The same files have the same results: a test whose answers depend on the time states the time.

mod document;
mod run;
mod world;

pub use document::{Expected, InvalidTestFile, TestFile};
pub use run::{Finding, run};

#[cfg(test)]
mod tests;
