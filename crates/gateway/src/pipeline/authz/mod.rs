//! Authorizers: whether an authenticated sender may make the request.

mod allow;
mod authorizer;
mod deny;
mod keto_engine_acp_ory;
mod permission;
mod question;
mod remote;
mod remote_json;

use schemars::{Schema, SchemaGenerator};

use super::answer::Answer;
use super::registry::{Definition, Registry};
use super::{Inbound, Services};

pub(crate) use authorizer::Authorizer;

pub(crate) const AUTHORIZERS: Registry<dyn Authorizer, Services> = Registry {
    kind: "authorizer",
    offered: &[
        allow::HANDLER,
        deny::HANDLER,
        keto_engine_acp_ory::HANDLER,
        permission::HANDLER,
        remote::HANDLER,
        remote_json::HANDLER,
    ],
    absent: &[],
};

/// The keys of `authorizers`.
pub(crate) fn schema(generator: &mut SchemaGenerator) -> Schema {
    AUTHORIZERS.schema(generator)
}
