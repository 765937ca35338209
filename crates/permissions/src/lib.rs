//! The service `permissions`: whether a subject has a relation to an object, or a permission on it.

pub mod domain;
