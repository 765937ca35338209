//! The identity-aware gateway.

mod domain;
