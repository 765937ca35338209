//! The handlers of one rule in order: one authenticator accepts, one authorizer allows, every mutator changes the request.

use http::HeaderName;
use serde_json::Value;

use super::authn::{AUTHENTICATORS, Authenticator, Outcome};
use super::authz::{AUTHORIZERS, Authorizer};
use super::errors::ErrorHandler;
use super::inbound::Inbound;
use super::invalid_rule::InvalidRule;
use super::mutate::{MUTATORS, Mutator};
use super::registry::Named;
use super::request_body::Evaluation;
use super::services::Services;
use crate::config::Config;
use crate::domain::failure::Failure;
use crate::domain::rule::{HandlerEntry, OnFailure, Rule};
use crate::domain::session::Session;

/// The compiled handlers of one rule.
#[derive(Debug)]
pub(crate) struct Pipeline {
    authenticators: Vec<Step>,
    authorizer: Box<dyn Authorizer>,
    mutators: Vec<Box<dyn Mutator>>,
    pub(crate) errors: Vec<ErrorHandler>,
}

#[derive(Debug)]
struct Step {
    authenticator: Named<dyn Authenticator>,
    on_invalid: OnFailure,
    on_unavailable: OnFailure,
}

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
        let compile_step = |entry: &HandlerEntry| {
            let make = |name: &str, settings: Value| AUTHENTICATORS.make(name, settings, services);
            let configured = config.authenticators.get(&entry.handler);
            Ok::<_, InvalidRule>(Step {
                authenticator: AUTHENTICATORS.compile(entry, configured, make)?,
                on_invalid: entry.on_invalid.unwrap_or_default(),
                on_unavailable: entry.on_unavailable.unwrap_or_default(),
            })
        };
        let compile_mutator = |entry: &HandlerEntry| {
            let make = |name: &str, settings: Value| MUTATORS.make(name, settings, services);
            MUTATORS.compile(entry, config.mutators.get(&entry.handler), make).map(|named| named.handler)
        };
        let authenticators = rule.authenticators.iter().map(compile_step).collect::<Result<_, _>>()?;
        let authorizer = AUTHORIZERS
            .compile(&rule.authorizer, config.authorizers.get(&rule.authorizer.handler), |name, settings| {
                AUTHORIZERS.make(name, settings, services)
            })?
            .handler;
        Ok(Self {
            errors: rule
                .errors
                .iter()
                .map(|entry| ErrorHandler::of_rule(entry, &config.errors))
                .collect::<Result<_, _>>()?,
            authenticators,
            authorizer,
            mutators: rule.mutators.iter().map(compile_mutator).collect::<Result<_, _>>()?,
        })
    }

    /// Runs the request through the rule. On success the session holds the changes to the request.
    pub(crate) async fn run(&self, inbound: &Inbound<'_>, services: &Services) -> Result<Session, Box<Failure>> {
        let mut session = self.authenticate(inbound, services).await?;
        // An authorization server that was called when a tunnel was opened is not called again every second.
        let was_asked = matches!(inbound.evaluation, Evaluation::Recheck) && self.authorizer.asks_a_server();
        if !was_asked && let Err(mut failure) = self.authorizer.authorize(inbound, &mut session, services).get().await {
            failure.set_cookies.append(&mut session.set_cookies);
            return Err(failure);
        }
        for mutator in &self.mutators {
            mutator.mutate(inbound, &mut session, services).get().await?;
        }
        Ok(session)
    }

    async fn authenticate(&self, inbound: &Inbound<'_>, services: &Services) -> Result<Session, Box<Failure>> {
        let mut set_cookies = Vec::new();
        for step in &self.authenticators {
            let mut failure = match step.authenticator.handler.authenticate(inbound, services).get().await {
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
                        authenticator = step.authenticator.name,
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

    /// The headers that this rule sets: clients may not send them under any rule.
    pub(crate) fn decided_headers(&self) -> impl Iterator<Item = &HeaderName> {
        let of_mutators = self.mutators.iter().flat_map(|mutator| mutator.decided_headers());
        self.authorizer.decided_headers().iter().chain(of_mutators)
    }

    /// Settings of the authorizer that no request can satisfy.
    pub(crate) fn mistakes(&self) -> Vec<String> {
        self.authorizer.mistakes()
    }

    /// The URLs of this rule's signing keys.
    pub(crate) fn signing_key_urls(&self) -> impl Iterator<Item = &str> {
        self.mutators.iter().filter_map(|mutator| mutator.signing_key_url())
    }

    /// Whether the decision API returns the headers of the request.
    pub(crate) fn echoes_request_headers(&self) -> bool {
        self.mutators.iter().any(|mutator| mutator.echoes_request_headers())
    }
}
