//! Authenticators: who sends this request? They are asked in the order of the rule until one accepts.

mod anonymous;
mod cookie_session;
mod jwt;
mod noop;
mod oauth2_introspection;
mod relayed;
mod token_from;
mod unauthorized;

use schemars::{JsonSchema as _, Schema, SchemaGenerator};
use serde_json::Value;

use super::{Inbound, Services};
use crate::config::{HandlerKeys, keys_of};
use crate::domain::failure::Failure;
use crate::domain::session::Session;

#[derive(Debug)]
pub(crate) enum Authenticator {
    Noop,
    Unauthorized,
    Anonymous(anonymous::Anonymous),
    CookieSession(Box<cookie_session::CookieSession>),
    Oauth2Introspection(Box<oauth2_introspection::Oauth2Introspection>),
    Jwt(Box<jwt::Jwt>),
}

/// The keys of `authenticators`.
pub(crate) fn keys(generator: &mut SchemaGenerator) -> Schema {
    const HANDLERS: &[HandlerKeys] = &[
        ("anonymous", Some(anonymous::Settings::json_schema)),
        ("cookie_session", Some(cookie_session::Settings::json_schema)),
        ("jwt", Some(jwt::Settings::json_schema)),
        ("noop", None),
        ("oauth2_introspection", Some(oauth2_introspection::Settings::json_schema)),
        ("unauthorized", None),
    ];
    keys_of(HANDLERS, generator)
}

/// What one authenticator says of a request.
#[derive(Debug)]
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

impl Authenticator {
    pub(crate) fn compile(name: &str, settings: Value, services: &Services) -> Result<Self, String> {
        Ok(match name {
            "noop" => Self::Noop,
            "unauthorized" => Self::Unauthorized,
            "anonymous" => Self::Anonymous(anonymous::Anonymous::compile(settings)?),
            "cookie_session" => {
                Self::CookieSession(Box::new(cookie_session::CookieSession::compile(settings, services)?))
            }
            "oauth2_introspection" => Self::Oauth2Introspection(Box::new(
                oauth2_introspection::Oauth2Introspection::compile(settings, services)?,
            )),
            "jwt" => Self::Jwt(Box::new(jwt::Jwt::compile(settings)?)),
            _ => return Err("is not known".to_owned()),
        })
    }

    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Noop => "noop",
            Self::Unauthorized => "unauthorized",
            Self::Anonymous(_) => "anonymous",
            Self::CookieSession(_) => "cookie_session",
            Self::Oauth2Introspection(_) => "oauth2_introspection",
            Self::Jwt(_) => "jwt",
        }
    }

    pub(crate) async fn authenticate(&self, inbound: &Inbound<'_>, services: &Services) -> Outcome {
        match self {
            Self::Noop => noop::authenticate(),
            Self::Unauthorized => unauthorized::authenticate(),
            Self::Anonymous(it) => it.authenticate(inbound),
            Self::CookieSession(it) => it.authenticate(inbound, services).await,
            Self::Oauth2Introspection(it) => it.authenticate(inbound, services).await,
            Self::Jwt(it) => it.authenticate(inbound, services).await,
        }
    }
}
