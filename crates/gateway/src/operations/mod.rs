//! The operations of the gateway, one per file.

pub(crate) mod decide;
pub(crate) mod list_rules;
pub(crate) mod load_rules;
pub(crate) mod publish_keys;
pub(crate) mod watch_access;
