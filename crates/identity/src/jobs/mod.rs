//! Work that outlives a request, one file per kind of job.

pub mod deliver_message;
