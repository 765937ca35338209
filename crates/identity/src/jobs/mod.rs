//! Background jobs, one file per kind.

pub(crate) mod deliver_message;
