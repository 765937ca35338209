//! Key sets that clients publish (`jwks_uri`). A set is cached for an hour. An unknown `kid` causes another fetch, at most
//! once a minute, and a failure is cached for as long, so that requests cannot cause a flood of fetches.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::{Context, TenantId, Timestamp};
use jose::{Jwk, JwkSet, VerificationKeys};
use web::outbound::{Client, Limits};

const KEPT_FOR: Duration = Duration::from_hours(1);
const ASKED_AGAIN_AFTER: Duration = Duration::from_mins(1);
const MAX_SETS: usize = 1_000;
const LIMITS: Limits = Limits { timeout: Duration::from_secs(5), max_bytes: 512 * 1024 };

#[derive(Default)]
pub(crate) struct RemoteKeySets(Mutex<HashMap<(TenantId, String), Fetched>>);

#[derive(Clone)]
struct Fetched {
    at: Timestamp,
    keys: Result<Arc<VerificationKeys>, KeySetError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeySetError {
    #[error("the key set could not be fetched")]
    Unreachable,
    #[error("the response for the key set does not have the status 200")]
    Status,
    #[error("the response is not a key set")]
    NotAKeySet,
}

impl RemoteKeySets {
    /// The keys at `url`, fetched again when they are old or lack `kid`.
    pub(crate) async fn find(
        &self,
        cx: &Context,
        http: &Client,
        url: &str,
        kid: Option<&str>,
    ) -> Result<Arc<VerificationKeys>, KeySetError> {
        let key = (cx.tenant, url.to_owned());
        let kept = self.sets().get(&key).cloned();
        if let Some(kept) = kept
            && kept.is_good_enough(kid, cx.now)
        {
            return kept.keys;
        }
        let keys = fetch(http, url).await;
        if let Err(error) = &keys {
            tracing::warn!(url, %error, "the key set of a client is not available");
        }
        let mut sets = self.sets();
        if sets.len() >= MAX_SETS {
            sets.clear();
        }
        sets.insert(key, Fetched { at: cx.now, keys: keys.clone() });
        keys
    }

    fn sets(&self) -> std::sync::MutexGuard<'_, HashMap<(TenantId, String), Fetched>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fetched {
    fn is_good_enough(&self, kid: Option<&str>, now: Timestamp) -> bool {
        let has_kid = self.keys.as_ref().is_ok_and(|keys| kid.is_none_or(|kid| keys.contains(kid)));
        let good_for = if has_kid { KEPT_FOR } else { ASKED_AGAIN_AFTER };
        now < self.at.plus(good_for)
    }
}

async fn fetch(http: &Client, url: &str) -> Result<Arc<VerificationKeys>, KeySetError> {
    let response = http.with_limits(LIMITS).get(url).await.map_err(|_| KeySetError::Unreachable)?;
    if response.status() != http::StatusCode::OK {
        return Err(KeySetError::Status);
    }
    let value = serde_json::from_slice(response.body()).map_err(|_| KeySetError::NotAKeySet)?;
    let set = JwkSet::parse_understood(&value).map_err(|_| KeySetError::NotAKeySet)?;
    Ok(Arc::new(set.keys.iter().map(Jwk::to_public).collect::<Vec<_>>().iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jose::Algorithm;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_800_000_000 + seconds)
    }

    #[test]
    fn a_set_is_kept_for_an_hour_and_an_unknown_kid_or_a_failure_for_a_minute() {
        let jwk = Jwk::generate(Algorithm::EdDSA, "known".to_owned()).unwrap();
        let fetched = Fetched { at: at(0), keys: Ok(Arc::new([&jwk].into_iter().collect())) };
        assert!(fetched.is_good_enough(Some("known"), at(3599)));
        assert!(!fetched.is_good_enough(Some("known"), at(3600)));
        assert!(fetched.is_good_enough(Some("other"), at(59)));
        assert!(!fetched.is_good_enough(Some("other"), at(60)));
        let failed = Fetched { at: at(0), keys: Err(KeySetError::Unreachable) };
        assert!(failed.is_good_enough(None, at(59)));
        assert!(!failed.is_good_enough(None, at(60)));
    }
}
