//! Values and decisions of the gateway: pure, synchronous, without input or output.

pub mod failure;
pub mod glob;
pub mod json_path;
pub mod network;
pub mod overlap;
pub mod path;
pub mod pattern;
pub mod rule;
pub mod rule_document;
pub mod rule_index;
pub mod scope;
pub mod session;
pub mod target;
