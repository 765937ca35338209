//! Work that outlives a request, one file per kind of job.

pub(crate) mod deliver_message;
