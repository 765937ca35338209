//! Decides on a request: finds its rule and runs the rule's handlers. Used by the proxy and the decision API.

use std::sync::Arc;

use base::Context;
use http::{HeaderMap, Response};

use crate::domain::failure::{Failure, Fault};
use crate::domain::session::Session;
use crate::domain::target::Target;
use crate::pipeline::errors::FailedRequest;
use crate::pipeline::{ActiveRule, CompiledRule, Evaluation, Found, Inbound, InvalidRule, RuleSet};
use crate::service::Gateway;

/// The request is allowed.
pub(crate) struct Granted {
    pub(crate) session: Session,
    /// The rules at the time of the decision, even if they have been replaced since.
    pub(crate) rules: Arc<RuleSet>,
    rule: Arc<ActiveRule>,
}

impl Granted {
    pub(crate) fn compiled(&self) -> Option<&CompiledRule> {
        self.rule.compiled.as_ref().ok()
    }

    /// The session, the rules, and the rule that matched.
    pub(crate) fn parts(&mut self) -> (&mut Session, Arc<RuleSet>, Option<&CompiledRule>) {
        (&mut self.session, self.rules.clone(), self.rule.compiled.as_ref().ok())
    }

    /// Turns a failure on the way to the upstream into a rejection under the same rule. Invalid cookies are deleted as
    /// well.
    pub(crate) fn fail(&mut self, mut failure: Box<Failure>) -> Denied {
        failure.set_cookies.append(&mut self.session.set_cookies);
        Denied { failure, rule: Some(self.rule.clone()) }
    }
}

/// The request is rejected or failed.
pub(crate) struct Denied {
    pub(crate) failure: Box<Failure>,
    rule: Option<Arc<ActiveRule>>,
}

impl From<Box<Failure>> for Denied {
    fn from(failure: Box<Failure>) -> Self {
        Self { failure, rule: None }
    }
}

impl Gateway {
    pub(crate) async fn decide(
        &self,
        cx: &Context,
        target: &Target,
        headers: &HeaderMap,
        evaluation: Evaluation<'_>,
    ) -> Result<Granted, Denied> {
        let rules = self.rules.load_full();
        let found = rules.find(target);
        refuse_ambiguous_parameters(&rules, target, &found)?;
        let (rule, position) = match found {
            Found::One { rule, position } => (rule.clone(), position),
            Found::None => return Err(Failure::no_rule().into()),
            Found::Several(first, second) => {
                if let Some((rule, error)) =
                    [first, second].into_iter().find_map(|it| Some((it, it.compiled.as_ref().err()?)))
                {
                    return Err(Failure::internal(not_valid(rule, error)).into());
                }
                let reason = format!("the rules `{}` and `{}` both match", first.rule.id, second.rule.id);
                return Err(Failure::several_rules().because(reason).into());
            }
            Found::Overrun(rule) => {
                let reason = format!("the pattern of the rule `{}` takes too many steps for this URL", rule.rule.id);
                return Err(Failure::internal(reason).into());
            }
        };
        let outcome = match &rule.compiled {
            Err(error) => Err(Failure::internal(not_valid(&rule, error))),
            Ok(compiled) => {
                let captures = || rules.captures(position, target.url());
                compiled.pipeline.run(&Inbound::new(cx, target, headers, evaluation, &captures), &self.services).await
            }
        };
        match outcome {
            Ok(session) => {
                tracing::debug!(
                    granted = true,
                    rule_id = rule.rule.id,
                    subject = session.subject,
                    authenticator = session.authenticator,
                    "decided"
                );
                Ok(Granted { session, rules, rule })
            }
            Err(failure) => Err(Denied { failure, rule: Some(rule) }),
        }
    }

    /// The response to a rejected request, and the only place where the rejection is logged.
    pub(crate) fn refuse(
        &self,
        cx: &Context,
        denied: &Denied,
        target: Option<&Target>,
        headers: &HeaderMap,
    ) -> Response<String> {
        let Denied { failure, rule } = denied;
        let rule_id = rule.as_ref().map(|rule| rule.rule.id.as_str());
        let reason = failure.reason.as_deref().unwrap_or(&failure.message);
        let status = failure.status.as_u16();
        match failure.fault {
            Fault::Client => {
                tracing::info!(request_id = %cx.request_id, granted = false, rule_id, status, reason, "decided");
            }
            Fault::Upstream => {
                tracing::warn!(request_id = %cx.request_id, granted = false, rule_id, status, reason, "decided");
            }
            Fault::Ours => {
                tracing::error!(request_id = %cx.request_id, granted = false, rule_id, status, reason, "decided");
            }
        }
        let own = rule.as_ref().and_then(|rule| rule.compiled.as_ref().ok());
        let own = own.map_or(&[][..], |compiled| compiled.pipeline.errors.as_slice());
        let original_url = target.map(Target::original_url);
        let request =
            FailedRequest { headers, client_address: cx.client_address, original_url: original_url.as_deref() };
        self.fallbacks.answer(own, failure, request)
    }
}

fn not_valid(rule: &ActiveRule, error: &InvalidRule) -> String {
    format!("the rule `{}` is not valid: {error}", rule.rule.id)
}

/// A path with parameters (`/a;v=1`) is accepted when its rule sets `upstream.path_parameters` and the same rule matches
/// with and without the parameters. Any other is rejected: `/public;/x` would be checked under the rule of `/public;` and
/// served as `/public`.
fn refuse_ambiguous_parameters(rules: &RuleSet, target: &Target, found: &Found<'_>) -> Result<(), Box<Failure>> {
    let Some(shorter) = target.url_without_parameters().map_err(|error| Failure::bad_request(error.to_string()))?
    else {
        return Ok(());
    };
    match (found, rules.find_url(target.method.as_str(), &shorter)) {
        (Found::None, Found::None) => Ok(()),
        (Found::One { rule, position }, Found::One { position: of_shorter, .. }) if *position == of_shorter => {
            match &rule.compiled {
                // An invalid rule lets no request through.
                Err(_) => Ok(()),
                Ok(compiled) if compiled.takes_path_parameters => Ok(()),
                Ok(_) => Err(Failure::bad_request(
                    "the path has parameters (`;`), and the rule does not say `upstream.path_parameters: true`",
                )),
            }
        }
        _ => Err(Failure::bad_request("with and without its parameters (`;`) the path falls under different rules")),
    }
}
