//! The stateful or configured parts of the service, each with a small interface. Operations use them; a part imports no
//! operation and no flow.

pub(crate) mod attempts;
pub(crate) mod breaches;
pub(crate) mod codes;
pub mod courier;
pub mod hashing;
pub(crate) mod language;
pub(crate) mod policy;
pub(crate) mod schemas;
pub(crate) mod sessions;
pub(crate) mod totals;
pub(crate) mod urls;
