//! Authorizers: whether a known sender may do this.

mod allow;
mod authorizer;
mod deny;

use super::answer::Answer;
use super::registry::{Definition, Registry};
use super::{Inbound, Services};

pub(crate) use authorizer::Authorizer;

pub(super) const AUTHORIZERS: Registry<dyn Authorizer, Services> = Registry {
    kind: "authorizer",
    section: "authorizers",
    offered: &[allow::HANDLER, deny::HANDLER],
    absent: &[
        ("keto_engine_acp_ory", "the engine that it asked is gone since Keto 0.6"),
        ("remote", "use `allow` or `deny`"),
        ("remote_json", "use `allow` or `deny`"),
    ],
    common_keys: &[],
};
