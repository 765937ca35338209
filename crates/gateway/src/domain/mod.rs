//! Values and decisions of the gateway: pure and synchronous, without IO.

pub(crate) mod failure;
pub(crate) mod glob;
pub(crate) mod headers;
pub(crate) mod json_path;
pub(crate) mod overlap;
pub(crate) mod path;
pub(crate) mod pattern;
pub(crate) mod rule;
pub(crate) mod rule_document;
pub(crate) mod rule_index;
pub(crate) mod runs;
pub(crate) mod scope;
pub(crate) mod session;
pub(crate) mod target;
pub(crate) mod upstream;
