//! The pipeline of a request between its rule and its upstream: one authenticator accepts, one authorizer allows, every
//! mutator changes the request, and an error handler responds to failures.
//!
//! Invariants:
//! - A rule's handlers are compiled when the rule is loaded; a rule with an unknown, disabled or misconfigured handler lets
//!   no request through.
//! - The next authenticator is tried only after "not responsible", or, if the rule allows it, after an invalid credential or
//!   an outage.

mod answer;
pub(crate) mod authn;
pub(crate) mod authz;
pub(crate) mod errors;
mod header_template;
mod in_process;
mod inbound;
mod invalid_rule;
pub(crate) mod mutate;
pub(crate) mod registry;
mod relayed;
mod request_body;
mod retry;
mod rule_set;
mod services;
mod settings;
mod steps;
pub(crate) mod template;

pub(crate) use in_process::InProcess;
pub use in_process::LocalServices;
pub(crate) use inbound::Inbound;
pub(crate) use invalid_rule::InvalidRule;
pub(crate) use request_body::{Evaluation, RequestBody};
pub(crate) use rule_set::{ActiveRule, CompiledRule, Found, RuleSet};
pub(crate) use services::Services;
pub(crate) use steps::Pipeline;
