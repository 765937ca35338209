//! The cached state of a key set, and lookups in it: pure decisions, without a clock or a network.

use std::sync::Arc;

use base::Timestamp;
use jose::VerificationKeys;

use super::{KeySetError, Policy};

type Answer = Result<Arc<VerificationKeys>, KeySetError>;

#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    pub(super) loaded: Option<Loaded>,
    /// The last fetch, if it failed.
    pub(super) failure: Option<Failure>,
}

#[derive(Clone, Debug)]
pub(super) struct Loaded {
    pub(super) keys: Arc<VerificationKeys>,
    pub(super) document_digest: [u8; 32],
    pub(super) document_bytes: usize,
    pub(super) read_at: Timestamp,
}

#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) error: KeySetError,
    pub(super) at: Timestamp,
}

impl Kept {
    /// The result without another fetch, if there is one.
    pub(super) fn answer(&self, kid: Option<&str>, now: Timestamp, policy: &Policy) -> Option<Answer> {
        let fresh = self.loaded.as_ref().filter(|it| now < it.read_at.plus(policy.time_to_live));
        if let Some(loaded) = fresh.filter(|it| it.has(kid)) {
            return Some(Ok(loaded.keys.clone()));
        }
        if let Some(failure) = self.failure.as_ref().filter(|it| now < it.at.plus(policy.pause_after_failure)) {
            return Some(self.answer_despite(failure.error.clone(), kid, now, policy));
        }
        let pauses = fresh.filter(|it| now < it.read_at.plus(policy.pause_after_unknown_kid));
        pauses.map(|loaded| Ok(loaded.keys.clone()))
    }

    /// The result when a fetch failed: keys that are still fresh, or stale ones during an outage.
    pub(super) fn answer_despite(
        &self,
        error: KeySetError,
        kid: Option<&str>,
        now: Timestamp,
        policy: &Policy,
    ) -> Answer {
        let stale = if error.is_outage { policy.stale_on_error } else { std::time::Duration::ZERO };
        let serves = |it: &&Loaded| it.has(kid) && now < it.read_at.plus(policy.time_to_live).plus(stale);
        self.loaded.as_ref().filter(serves).map(|it| it.keys.clone()).ok_or(error)
    }
}

impl Loaded {
    fn has(&self, kid: Option<&str>) -> bool {
        kid.is_none_or(|kid| self.keys.contains(kid))
    }
}
