//! Work that no request asks for.

pub(crate) mod watch_rules;
