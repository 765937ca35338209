//! The parts of the service that hold state: the permission model, the secret for tokens, the position of the log of changes, and
//! the relation tuples in memory.

pub(crate) mod change;
pub(crate) mod feed;
pub(crate) mod graph;
pub(crate) mod log;
pub(crate) mod models;
pub(crate) mod pages;
pub(crate) mod shared_evaluations;
pub(crate) mod tokens;
pub(crate) mod writes;
