//! Loads the rules from their repositories and puts them into force.
//!
//! What always holds: all repositories together make one rule set, which takes the place of the old one at once.

use std::sync::Arc;

use crate::components::repositories::{Unread, Which};
use crate::components::signing_keys::IN_PROCESS_KEYS;
use crate::domain::overlap::Overlap;
use crate::domain::rule::Rule;
use crate::pipeline::RuleSet;
use crate::service::Gateway;

/// Rules that must be there at the start were not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the access rules of `{repository}` could not be loaded: {reason}")]
pub struct LoadError {
    repository: String,
    reason: String,
}

impl Gateway {
    /// Loads every repository for the first time. Remote and inline rules must be there; a file may come later.
    pub async fn load_rules(self: &Arc<Self>) -> Result<(), LoadError> {
        let unread = self.refresh_rules(Which::All).await;
        match unread.into_iter().find(|unread| !unread.is_file) {
            Some(Unread { location: repository, reason, .. }) => Err(LoadError { repository, reason }),
            None => Ok(()),
        }
    }

    /// What is wrong with the access rules at present: repositories that could not be loaded, and rules that are not valid.
    pub async fn rule_faults(&self) -> Vec<String> {
        let repositories = self.repositories.lock().await;
        let rules = self.rules.load();
        let invalid =
            rules.invalid().map(|(id, error)| format!("rule {id} is not valid: {}", base::causes::chain(error)));
        repositories.faults().chain(invalid).collect()
    }

    /// Reads the repositories again and puts what changed into force. Returns what could not be read.
    async fn refresh_rules(self: &Arc<Self>, which: Which) -> Vec<Unread> {
        let mut repositories = self.repositories.lock().await;
        let refreshed = repositories.refresh(which, &self.services.http).await;
        if refreshed.changed {
            self.put_into_force(repositories.rules()).await;
        }
        refreshed.unread
    }

    /// As [`load_rules`](Self::load_rules), for the task that watches for changes.
    pub(crate) async fn look_for_changed_rules(self: &Arc<Self>, which: Which) {
        self.refresh_rules(which).await;
    }

    async fn put_into_force(self: &Arc<Self>, rules: Vec<Arc<Rule>>) {
        let gateway = self.clone();
        // Thousands of rules take a while to compile, and requests must not wait for it.
        let compile = move || RuleSet::new(rules, &gateway.config, &gateway.services);
        let set = match tokio::task::spawn_blocking(compile).await {
            Ok(set) => Arc::new(set),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "access rules could not be compiled; those from before stay");
                return;
            }
        };
        tracing::info!(rules = set.len(), valid = set.valid().count(), "access rules are in force");
        self.rules.store(set.clone());
        if self.signs_with_passing_keys() {
            tracing::warn!(
                jwks_url = IN_PROCESS_KEYS,
                "rules sign with a key that this process made for itself: other nodes, and the next start, have other keys, \
                 and their key sets do not verify what this one signed. Name a key set that all of them read as the \
                 `jwks_url` of `id_token`, for instance one of the OAuth2 service's own, /admin/keys/gateway"
            );
        }
        // Comparing patterns is arithmetic that may take a while, and nobody waits for it.
        tokio::task::spawn_blocking(move || report_overlaps(&set));
    }
}

fn report_overlaps(set: &RuleSet) {
    let report = set.overlaps();
    for overlap in &report.overlaps {
        let (first, second) = (set.id(overlap.first), set.id(overlap.second));
        let Overlap { method, url, .. } = overlap;
        tracing::warn!(first, second, method, url, "two rules match the same request: it fails with 500");
    }
    for position in &report.not_regular {
        tracing::debug!(rule = set.id(*position), "a pattern with look-around is not compared with the other rules");
    }
    if report.incomplete {
        tracing::warn!("there are too many rules, or too large ones, to compare them all");
    }
}
