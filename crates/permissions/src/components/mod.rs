//! The parts of the service that hold state: the permission model, and the secret for tokens.

pub(crate) mod models;
pub(crate) mod pages;
pub(crate) mod tokens;
