//! The parts of the service that hold state or configuration, each with a few methods. Operations use them; they know no
//! operation.

pub(crate) mod attempts;
pub(crate) mod breaches;
pub(crate) mod codes;
pub mod courier;
pub mod hashing;
pub(crate) mod policy;
pub(crate) mod schemas;
pub(crate) mod sessions;
pub(crate) mod urls;
