//! Authorizers: whether a known sender may do this.

mod allow;
mod deny;

use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

use crate::config::keys_of;
use crate::domain::failure::Failure;

#[derive(Debug)]
pub(crate) enum Authorizer {
    Allow,
    Deny,
}

/// The keys of `authorizers`.
pub(crate) fn keys(generator: &mut SchemaGenerator) -> Schema {
    keys_of(&[("allow", None), ("deny", None)], generator)
}

impl Authorizer {
    pub(crate) fn compile(name: &str, settings: Value) -> Result<Self, String> {
        match name {
            "allow" => super::settings::read::<Nothing>(settings).map(|_| Self::Allow),
            "deny" => super::settings::read::<Nothing>(settings).map(|_| Self::Deny),
            _ => Err("is not known".to_owned()),
        }
    }

    pub(crate) fn authorize(&self) -> Result<(), Box<Failure>> {
        match self {
            Self::Allow => allow::authorize(),
            Self::Deny => deny::authorize(),
        }
    }
}

/// Neither has settings; what a rule gives is left alone.
#[derive(serde::Deserialize)]
struct Nothing {}
