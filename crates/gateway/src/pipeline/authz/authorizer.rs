//! The interface of an authorizer, which decides whether an authenticated sender may make the request.

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

    /// The upstream headers that are set only from the authorization server's response.
    fn decided_headers(&self) -> &[HeaderName] {
        &[]
    }

    /// Settings that no request can satisfy, where this process knows it.
    fn mistakes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether it calls a server, once per request.
    fn asks_a_server(&self) -> bool {
        false
    }
}
