//! What an authorizer does: it decides whether a known sender may do this.

use std::fmt::Debug;

use http::HeaderName;

use super::{Answer, Inbound, Services};
use crate::domain::failure::Failure;
use crate::domain::session::Session;

pub(crate) trait Authorizer: Debug + Send + Sync {
    fn authorize<'a>(
        &'a self,
        inbound: &'a Inbound<'a>,
        session: &'a mut Session,
        services: &'a Services,
    ) -> Answer<'a, Result<(), Box<Failure>>>;

    /// The headers for the upstream that come from its answer and from nobody else.
    fn decided_headers(&self) -> &[HeaderName] {
        &[]
    }

    /// Whether it asks a server, once for each request.
    fn asks_a_server(&self) -> bool {
        false
    }
}
