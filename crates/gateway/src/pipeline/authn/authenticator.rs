//! The interface of an authenticator, which identifies the sender of a request.

use std::fmt::Debug;

use super::{Answer, Inbound, Services};
use crate::domain::failure::Failure;
use crate::domain::session::Session;

pub(crate) trait Authenticator: Debug + Send + Sync {
    fn authenticate<'a>(&'a self, inbound: &'a Inbound<'a>, services: &'a Services) -> Answer<'a, Outcome>;
}

/// The result of an authenticator.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "most requests are accepted, and a box would cost each an allocation")]
pub(crate) enum Outcome {
    /// The request carries no credential for this authenticator: the next one is tried.
    NotResponsible,
    Accepted(Session),
    /// The credential is unknown, expired, revoked, tampered with, or meant for another audience.
    Invalid(Box<Failure>),
    /// The credential could not be checked.
    Unavailable(Box<Failure>),
    /// The credential is valid but insufficient, or the service that checks it rejected the request. No other authenticator
    /// is tried.
    Refused(Box<Failure>),
}
