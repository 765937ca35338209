//! Background work.

mod follow_changes;
mod watch_model;
