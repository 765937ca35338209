//! The service `permissions`: whether a subject has a relation to an object, or a permission on it.

pub mod domain;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
