//! Mutators: what the upstream learns of the sender.

mod header;
mod id_token;
mod noop;

use http::HeaderName;
use schemars::{JsonSchema as _, Schema, SchemaGenerator};
use serde_json::Value;

use super::{Inbound, Services};
use crate::config::{HandlerKeys, keys_of};
use crate::domain::failure::Failure;
use crate::domain::session::Session;

#[derive(Debug)]
pub(crate) enum Mutator {
    Noop,
    Header(header::Header),
    IdToken(Box<id_token::IdToken>),
}

/// The keys of `mutators`.
pub(crate) fn keys(generator: &mut SchemaGenerator) -> Schema {
    const HANDLERS: &[HandlerKeys] = &[
        ("header", Some(header::Settings::json_schema)),
        ("id_token", Some(id_token::Settings::json_schema)),
        ("noop", None),
    ];
    keys_of(HANDLERS, generator)
}

impl Mutator {
    pub(crate) fn compile(name: &str, settings: Value) -> Result<Self, String> {
        Ok(match name {
            "noop" => Self::Noop,
            "header" => Self::Header(header::Header::compile(settings)?),
            "id_token" => Self::IdToken(Box::new(id_token::IdToken::compile(settings)?)),
            _ => return Err("is not known".to_owned()),
        })
    }

    pub(crate) async fn mutate(
        &self,
        inbound: &Inbound<'_>,
        session: &mut Session,
        services: &Services,
    ) -> Result<(), Box<Failure>> {
        match self {
            Self::Noop => {
                noop::mutate();
                Ok(())
            }
            Self::Header(header) => header.mutate(inbound, session),
            Self::IdToken(id_token) => id_token.mutate(inbound, session, services).await,
        }
    }

    /// The headers that carry this mutator's word and nobody else's.
    pub(crate) fn decided_headers(&self) -> impl Iterator<Item = &HeaderName> {
        match self {
            Self::Header(header) => Some(header.decided_headers()),
            Self::Noop | Self::IdToken(_) => None,
        }
        .into_iter()
        .flatten()
    }

    pub(crate) fn signing_key_url(&self) -> Option<&str> {
        match self {
            Self::IdToken(id_token) => Some(id_token.jwks_url()),
            Self::Noop | Self::Header(_) => None,
        }
    }
}
