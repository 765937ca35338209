//! What an error handler does: it writes the answer to a request that does not go through.

use std::fmt::Debug;

use http::{HeaderMap, Response};

use crate::domain::failure::Failure;

pub(crate) trait Form: Debug + Send + Sync {
    fn answer(&self, failure: &Failure, request: FailedRequest<'_>) -> Response<String>;
}

/// What an error handler knows of the request.
#[derive(Clone, Copy)]
pub(crate) struct FailedRequest<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) client_address: Option<std::net::IpAddr>,
    /// Absent when the request's own target made no sense.
    pub(crate) original_url: Option<&'a str>,
}
