//! What an authenticator does: it says who sends a request, or that the request is not its business.

use std::fmt::Debug;

use super::{Answer, Inbound, Services};
use crate::domain::failure::Failure;
use crate::domain::session::Session;

pub(crate) trait Authenticator: Debug + Send + Sync {
    fn authenticate<'a>(&'a self, inbound: &'a Inbound<'a>, services: &'a Services) -> Answer<'a, Outcome>;
}

/// What one authenticator says of a request.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "most requests are accepted, and a box would cost each an allocation")]
pub(crate) enum Outcome {
    /// The request carries nothing that this authenticator looks at: the next one is asked.
    NotResponsible,
    Accepted(Session),
    /// The credential is no good: unknown, expired, revoked, tampered with, or meant for somebody else.
    Invalid(Box<Failure>),
    /// The credential could not be checked.
    Unavailable(Box<Failure>),
    /// The credential is good and not enough, or whoever checks it turns us away. No other authenticator is asked.
    Refused(Box<Failure>),
}
