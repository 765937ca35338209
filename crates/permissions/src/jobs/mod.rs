//! Background work.

mod watch_model;
