//! The configuration as answers to the questions of flows, so that no flow reads keys.

mod codes;
mod flows;
mod sessions;

pub(crate) use codes::CodePolicy;
pub(crate) use flows::FlowPolicy;
pub(crate) use sessions::SessionPolicy;
