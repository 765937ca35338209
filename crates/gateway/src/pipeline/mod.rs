//! What happens to a request between its rule and its upstream: one authenticator accepts, one authorizer allows, every
//! mutator adds to the request, and when something fails an error handler answers.
//!
//! What always holds:
//! - A rule's handlers are compiled while the rule is loaded; a rule with a handler that is unknown, not enabled or wrongly
//!   set up lets nothing through.
//! - Only "not responsible" goes on to the next authenticator, and an invalid credential or an outage where the rule
//!   says so.

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
use invalid_rule::InvalidRule;
pub(crate) use request_body::{Look, RequestBody};
pub(crate) use rule_set::{ActiveRule, CompiledRule, Found, RuleSet};
pub(crate) use services::Services;
pub(crate) use steps::Pipeline;
