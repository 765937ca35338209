//! Authorizers: whether an authenticated sender may make the request.

mod allow;
mod authorizer;
mod deny;
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
    offered: &[allow::HANDLER, deny::HANDLER, remote::HANDLER, remote_json::HANDLER],
    absent: &[("keto_engine_acp_ory", "Keto 0.6 removed its engine; use `remote_json`")],
};

/// The keys of `authorizers`.
pub(crate) fn schema(generator: &mut SchemaGenerator) -> Schema {
    AUTHORIZERS.schema(generator)
}
