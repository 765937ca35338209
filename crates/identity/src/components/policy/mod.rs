//! The configuration in the terms of flows, so that flows do not read configuration keys.

mod codes;
mod flows;
mod sessions;

pub(crate) use codes::CodePolicy;
pub(crate) use flows::FlowPolicy;
pub(crate) use sessions::SessionPolicy;
