//! Loads the rules from their repositories and activates them.
//!
//! Invariant: all repositories together form one rule set, which replaces the previous one atomically.

use std::sync::Arc;

use crate::components::repositories::{Unread, Which};
use crate::components::signing_keys::IN_PROCESS_KEYS;
use crate::domain::overlap::Overlap;
use crate::domain::rule::Rule;
use crate::pipeline::RuleSet;
use crate::service::Gateway;

/// Required rules could not be loaded at start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the access rules of `{repository}` could not be loaded: {reason}")]
pub struct LoadError {
    repository: String,
    reason: String,
}

impl Gateway {
    /// Loads every repository for the first time. Remote and inline rules are required; files may appear later.
    pub async fn load_rules(self: &Arc<Self>) -> Result<(), LoadError> {
        let unread = self.refresh_rules(Which::All).await;
        match unread.into_iter().find(|unread| !unread.is_file) {
            Some(Unread { location: repository, reason, .. }) => Err(LoadError { repository, reason }),
            None => Ok(()),
        }
    }

    /// The current problems of the access rules: repositories that could not be loaded, invalid rules, and rules that let no
    /// request through.
    pub async fn rule_faults(&self) -> Vec<String> {
        let repositories = self.repositories.lock().await;
        let rules = self.rules.load();
        let invalid =
            rules.invalid().map(|(id, error)| format!("rule {id} is not valid: {}", base::causes::chain(error)));
        let mistaken = rules.mistakes().map(|(id, mistake)| format!("rule {id}: the authorizer {mistake}"));
        repositories.faults().chain(invalid).chain(mistaken).collect()
    }

    /// Reads the repositories again and activates the changes. Returns the errors.
    async fn refresh_rules(self: &Arc<Self>, which: Which) -> Vec<Unread> {
        let mut repositories = self.repositories.lock().await;
        let refreshed = repositories.refresh(which, &self.services.http).await;
        if refreshed.changed {
            self.activate(repositories.rules()).await;
        }
        refreshed.unread
    }

    /// Like [`load_rules`](Self::load_rules), for the task that watches for changes.
    pub(crate) async fn look_for_changed_rules(self: &Arc<Self>, which: Which) {
        self.refresh_rules(which).await;
    }

    async fn activate(self: &Arc<Self>, rules: Vec<Arc<Rule>>) {
        let gateway = self.clone();
        // Compiling thousands of rules takes a while and must not block requests.
        let compile = move || RuleSet::new(rules, &gateway.config, &gateway.services);
        let set = match tokio::task::spawn_blocking(compile).await {
            Ok(set) => Arc::new(set),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "access rules could not be compiled; the previous rules stay active");
                return;
            }
        };
        tracing::info!(rules = set.len(), valid = set.valid().count(), "access rules are in force");
        for (rule, mistake) in set.mistakes() {
            tracing::error!(rule, "the rule lets no request through: its authorizer {mistake}");
        }
        self.rules.store(set.clone());
        if self.signs_with_ephemeral_keys() {
            tracing::warn!(
                jwks_url = IN_PROCESS_KEYS,
                "rules sign with an ephemeral key of this process: other nodes, and this one after a restart, have other \
                 keys and cannot verify its tokens. Set the `jwks_url` of `id_token` to a key set that all nodes share, \
                 for instance one of the OAuth2 service's own, /admin/keys/gateway"
            );
        }
        // Comparing patterns is CPU-bound and may take a while; run it in the background.
        tokio::task::spawn_blocking(move || report_overlaps(&set));
    }
}

fn report_overlaps(set: &RuleSet) {
    let report = set.overlaps();
    for overlap in &report.overlaps {
        let (first, second) = (set.id(overlap.first), set.id(overlap.second));
        let Overlap { method, url, .. } = overlap;
        tracing::warn!(first, second, method, url, "two rules match the same request, which fails with 500");
    }
    for position in &report.not_regular {
        tracing::debug!(rule = set.id(*position), "a pattern with look-around is not compared with the other rules");
    }
    if report.incomplete {
        tracing::warn!("too many or too large rules: not all of them are checked for overlaps");
    }
}
