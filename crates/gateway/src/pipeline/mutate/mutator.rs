//! The interface of a mutator, which passes data about the sender to the upstream.

use std::fmt::Debug;

use http::HeaderName;

use super::{Answer, Inbound, Services};
use crate::domain::failure::Failure;
use crate::domain::session::Session;

pub(crate) trait Mutator: Debug + Send + Sync {
    fn mutate<'a>(
        &'a self,
        inbound: &'a Inbound<'a>,
        session: &'a mut Session,
        services: &'a Services,
    ) -> Answer<'a, Result<(), Box<Failure>>>;

    /// The headers that only this mutator may set.
    fn decided_headers(&self) -> Vec<&HeaderName> {
        Vec::new()
    }

    /// The URLs of its signing keys.
    fn signing_key_url(&self) -> Option<&str> {
        None
    }

    /// Whether the decision API returns the headers of the request.
    fn echoes_request_headers(&self) -> bool {
        false
    }
}
