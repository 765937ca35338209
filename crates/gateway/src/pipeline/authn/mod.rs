//! Authenticators: identify the sender of a request. They are tried in the order of the rule until one accepts.

mod anonymous;
mod authenticator;
mod bearer_token;
mod cookie_session;
mod jwt;
mod noop;
mod oauth2_introspection;
mod session_check;
mod token_from;
mod unauthorized;

use schemars::{Schema, SchemaGenerator};

use super::answer::Answer;
use super::registry::{Definition, Registry};
use super::{Inbound, Services};

pub(crate) use authenticator::{Authenticator, Outcome};

pub(crate) const AUTHENTICATORS: Registry<dyn Authenticator, Services> = Registry {
    kind: "authenticator",
    offered: &[
        anonymous::HANDLER,
        bearer_token::HANDLER,
        cookie_session::HANDLER,
        jwt::HANDLER,
        noop::HANDLER,
        oauth2_introspection::HANDLER,
        unauthorized::HANDLER,
    ],
    absent: &[("oauth2_client_credentials", "use `oauth2_introspection` or `jwt`")],
};

/// The keys of `authenticators`.
pub(crate) fn schema(generator: &mut SchemaGenerator) -> Schema {
    AUTHENTICATORS.schema(generator)
}
