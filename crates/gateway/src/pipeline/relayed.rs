//! Headers of a check endpoint's response that are relayed to the client: rate limits and `Retry-After`.

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName};

use crate::domain::failure::Failure;

const RELAYED: [HeaderName; 5] = [
    RETRY_AFTER,
    HeaderName::from_static("x-ratelimit-limit"),
    HeaderName::from_static("x-ratelimit-remaining"),
    HeaderName::from_static("x-ratelimit-reset"),
    HeaderName::from_static("x-ratelimit-type"),
];

pub(super) fn too_many_requests(headers: &HeaderMap) -> Box<Failure> {
    RELAYED.into_iter().fold(Failure::too_many_requests(), |failure, name| match headers.get(&name) {
        Some(value) => failure.with_header(name, value.clone()),
        None => failure,
    })
}
