//! Background work.

pub(crate) mod watch_rules;
