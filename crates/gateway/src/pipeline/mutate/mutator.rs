//! What a mutator does: it writes what the upstream learns of the sender.

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

    /// The headers that carry this mutator's word and nobody else's.
    fn decided_headers(&self) -> Vec<&HeaderName> {
        Vec::new()
    }

    /// Where the keys lie that it signs with.
    fn signing_key_url(&self) -> Option<&str> {
        None
    }

    /// Whether the headers of the request are shown on the answer of the decision API.
    fn echoes_request_headers(&self) -> bool {
        false
    }
}
