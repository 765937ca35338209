//! The interface of an error handler, which writes the response to a failed request.

use std::fmt::Debug;

use http::{HeaderMap, Response};

use crate::domain::failure::Failure;

pub(crate) trait Form: Debug + Send + Sync {
    fn answer(&self, failure: &Failure, request: FailedRequest<'_>) -> Response<String>;
}

/// The request data for an error handler.
#[derive(Clone, Copy)]
pub(crate) struct FailedRequest<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) client_address: Option<std::net::IpAddr>,
    /// Absent when the request's target is not valid.
    pub(crate) original_url: Option<&'a str>,
}
