//! What happens to a request between its rule and its upstream: one authenticator accepts, one authorizer allows, every
//! mutator adds to the request, and when something fails an error handler answers.
//!
//! What always holds:
//! - A rule's handlers are compiled while the rule is loaded; a rule with a handler that is unknown, not enabled or wrongly
//!   set up lets nothing through.
//! - Only "not responsible" goes on to the next authenticator, and an invalid credential or an outage where the rule
//!   says so.

pub(crate) mod authn;
pub(crate) mod authz;
pub(crate) mod errors;
pub(crate) mod mutate;
mod rule_set;
mod services;
mod settings;
pub(crate) mod template;

use base::Context;
use http::{HeaderMap, HeaderName};

use crate::config::{Config, Handlers};
use crate::domain::failure::Failure;
use crate::domain::rule::{HandlerEntry, OnFailure, Rule};
use crate::domain::session::Session;
use crate::domain::target::Target;
use authn::{Authenticator, Outcome};
use authz::Authorizer;
use errors::ErrorHandler;
use mutate::Mutator;

pub(crate) use rule_set::{ActiveRule, CompiledRule, Found, RuleSet};
pub(crate) use services::Services;
pub use services::{IN_PROCESS_KEYS, LocalServices};
use settings::merged;

/// A request as the pipeline sees it.
#[derive(Clone, Copy)]
pub(crate) struct Inbound<'a> {
    pub(crate) cx: &'a Context,
    pub(crate) target: &'a Target,
    pub(crate) headers: &'a HeaderMap,
    captures: &'a (dyn Fn() -> Vec<String> + Sync),
}

impl<'a> Inbound<'a> {
    pub(crate) fn new(
        cx: &'a Context,
        target: &'a Target,
        headers: &'a HeaderMap,
        captures: &'a (dyn Fn() -> Vec<String> + Sync),
    ) -> Self {
        Self { cx, target, headers, captures }
    }

    /// What the groups of the rule's URL pattern caught.
    pub(crate) fn captures(&self) -> Vec<String> {
        (self.captures)()
    }
}

/// The handlers of one rule, ready to run.
#[derive(Debug)]
pub(crate) struct Pipeline {
    authenticators: Vec<Step>,
    authorizer: Authorizer,
    mutators: Vec<Mutator>,
    pub(crate) errors: Vec<ErrorHandler>,
}

#[derive(Debug)]
struct Step {
    authenticator: Authenticator,
    on_invalid: OnFailure,
    on_unavailable: OnFailure,
}

/// Why a rule is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidRule {
    #[error("it has no {0}")]
    Missing(&'static str),
    #[error("the {kind} `{handler}` {reason}")]
    Handler { kind: &'static str, handler: String, reason: String },
    #[error("its URL pattern is not valid: {0}")]
    Pattern(#[from] crate::domain::pattern::PatternError),
    #[error("its upstream is not valid: {0}")]
    Upstream(String),
}

/// Handlers of Oathkeeper that are not offered here, and what to use instead.
const ABSENT: &[(&str, &str)] = &[
    ("bearer_token", "use `oauth2_introspection`, `jwt` or `cookie_session`"),
    ("oauth2_client_credentials", "use `oauth2_introspection` or `jwt`"),
    ("remote", "use `allow` or `deny`"),
    ("remote_json", "use `allow` or `deny`"),
    ("keto_engine_acp_ory", "the engine that it asked is gone since Keto 0.6"),
    ("cookie", "use `header`"),
    ("hydrator", "use `header` or `id_token`"),
];

impl Pipeline {
    pub(crate) fn compile(rule: &Rule, config: &Config, services: &Services) -> Result<Self, InvalidRule> {
        if rule.authenticators.is_empty() {
            return Err(InvalidRule::Missing("authenticators"));
        }
        if rule.authorizer.handler.is_empty() {
            return Err(InvalidRule::Missing("authorizer"));
        }
        if rule.mutators.is_empty() {
            return Err(InvalidRule::Missing("mutators"));
        }
        let authenticators = rule.authenticators.iter().map(|entry| {
            let authenticator = compile_handler("authenticator", entry, &config.authenticators, |name, settings| {
                Authenticator::compile(name, settings, services)
            })?;
            Ok::<_, InvalidRule>(Step {
                authenticator,
                on_invalid: entry.on_invalid.unwrap_or_default(),
                on_unavailable: entry.on_unavailable.unwrap_or_default(),
            })
        });
        let errors = rule.errors.iter().map(|entry| {
            let settings = config.errors.handler(&entry.handler);
            let handlers: Handlers = settings.map(|it| (entry.handler.clone(), it)).into_iter().collect();
            compile_handler("error handler", entry, &handlers, ErrorHandler::compile)
        });
        Ok(Self {
            authenticators: authenticators.collect::<Result<_, _>>()?,
            authorizer: compile_handler("authorizer", &rule.authorizer, &config.authorizers, Authorizer::compile)?,
            mutators: rule
                .mutators
                .iter()
                .map(|entry| compile_handler("mutator", entry, &config.mutators, Mutator::compile))
                .collect::<Result<_, _>>()?,
            errors: errors.collect::<Result<_, _>>()?,
        })
    }

    /// Runs the request through the rule. On success the session says what to send on.
    pub(crate) async fn run(&self, inbound: &Inbound<'_>, services: &Services) -> Result<Session, Box<Failure>> {
        let mut session = self.authenticate(inbound, services).await?;
        match self.authorizer.authorize() {
            Ok(()) => {}
            Err(mut failure) => {
                failure.set_cookies.append(&mut session.set_cookies);
                return Err(failure);
            }
        }
        for mutator in &self.mutators {
            mutator.mutate(inbound, &mut session, services).await?;
        }
        Ok(session)
    }

    async fn authenticate(&self, inbound: &Inbound<'_>, services: &Services) -> Result<Session, Box<Failure>> {
        let mut set_cookies = Vec::new();
        for step in &self.authenticators {
            let mut failure = match step.authenticator.authenticate(inbound, services).await {
                Outcome::NotResponsible => continue,
                Outcome::Accepted(mut session) => {
                    session.set_cookies = set_cookies;
                    return Ok(session);
                }
                Outcome::Invalid(failure) if step.on_invalid == OnFailure::Next => {
                    set_cookies.extend(failure.set_cookies);
                    continue;
                }
                Outcome::Unavailable(failure) => {
                    let reason = failure.reason.as_deref().unwrap_or(&failure.message);
                    tracing::warn!(
                        authenticator = step.authenticator.name(),
                        reason,
                        "a credential could not be checked"
                    );
                    if step.on_unavailable == OnFailure::Next {
                        continue;
                    }
                    failure
                }
                Outcome::Invalid(failure) | Outcome::Refused(failure) => failure,
            };
            failure.set_cookies.append(&mut set_cookies);
            return Err(failure);
        }
        let mut failure = Failure::unauthorized();
        failure.set_cookies = set_cookies;
        Err(failure)
    }

    /// The headers that this rule decides on: no client may send them past any rule.
    pub(crate) fn decided_headers(&self) -> impl Iterator<Item = &HeaderName> {
        self.mutators.iter().flat_map(Mutator::decided_headers)
    }

    /// Where the keys lie that this rule signs with.
    pub(crate) fn signing_key_urls(&self) -> impl Iterator<Item = &str> {
        self.mutators.iter().filter_map(Mutator::signing_key_url)
    }

    /// Whether the headers of the request are shown on the answer of the decision API.
    pub(crate) fn echoes_request_headers(&self) -> bool {
        self.mutators.iter().any(|mutator| matches!(mutator, Mutator::Noop))
    }
}

/// Finds a handler's global settings, lays the rule's over them, and compiles the handler.
fn compile_handler<T>(
    kind: &'static str,
    entry: &HandlerEntry,
    handlers: &Handlers,
    compile: impl FnOnce(&str, serde_json::Value) -> Result<T, String>,
) -> Result<T, InvalidRule> {
    let name = entry.handler.as_str();
    let invalid = |reason: String| InvalidRule::Handler { kind, handler: name.to_owned(), reason };
    if let Some((_, instead)) = ABSENT.iter().find(|(absent, _)| *absent == name) {
        return Err(invalid(format!("is not offered by this gateway: {instead}")));
    }
    let global = handlers.get(name).filter(|handler| handler.enabled);
    let settings = merged(global.map(|handler| &handler.config), &entry.config);
    let compiled = compile(name, settings).map_err(invalid)?;
    if global.is_none() {
        return Err(invalid("is not enabled in the configuration".to_owned()));
    }
    Ok(compiled)
}

#[cfg(test)]
#[expect(clippy::needless_pass_by_value, reason = "test data is written where it is used")]
pub(crate) mod testing;
#[cfg(test)]
#[expect(clippy::needless_pass_by_value, reason = "test data is written where it is used")]
mod tests;
