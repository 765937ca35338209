//! The visits of the relying party: pending sign-ins and sessions. They are kept in memory, by the digest of a cookie.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base::{PlainToken, Rng, Secret, Timestamp};
use serde_json::Value;

pub(super) const COOKIE: &str = "kleis_demo";

/// A visit ends after this time.
const LIFETIME: Duration = Duration::from_hours(8);
/// Above this number the oldest visit is removed, so that strangers cannot fill the memory.
const CAPACITY: usize = 1_000;

#[derive(Clone)]
pub(super) enum Visit {
    /// A pending sign-in, and what the response must match.
    Leaving(Departure),
    SignedIn(SignedIn),
}

/// The values of a pending sign-in (RFC 6749 section 10.12, RFC 7636, OpenID Connect Core section 3.1.2.1).
#[derive(Clone)]
pub(super) struct Departure {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) code_verifier: Secret<String>,
}

#[derive(Clone)]
pub(super) struct SignedIn {
    /// The claims of the ID token, verified.
    pub(super) claims: Value,
    /// The ID token itself, as the hint when signing out.
    pub(super) id_token: Secret<String>,
    pub(super) access_token: Secret<String>,
}

#[derive(Default)]
pub(super) struct Visits(Mutex<HashMap<[u8; 32], (Timestamp, Visit)>>);

impl Visits {
    /// Stores a visit under a new cookie value, and returns that value.
    pub(super) fn open(&self, visit: Visit, rng: &Rng, now: Timestamp) -> PlainToken {
        let token = PlainToken::generate(rng, "", 32);
        let mut visits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        visits.retain(|_, (since, _)| now.since(*since) < LIFETIME);
        if visits.len() >= CAPACITY
            && let Some(oldest) = visits.iter().min_by_key(|(_, (since, _))| *since).map(|(digest, _)| *digest)
        {
            visits.remove(&oldest);
        }
        visits.insert(*token.digest().as_bytes(), (now, visit));
        token
    }

    pub(super) fn find(&self, cookie: Option<&str>, now: Timestamp) -> Option<Visit> {
        let digest = PlainToken::received(cookie?).digest();
        let visits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        visits.get(digest.as_bytes()).filter(|(since, _)| now.since(*since) < LIFETIME).map(|(_, visit)| visit.clone())
    }

    /// Removes a visit and returns it. Its cookie is invalid afterwards.
    pub(super) fn close(&self, cookie: Option<&str>) -> Option<Visit> {
        let digest = PlainToken::received(cookie?).digest();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(digest.as_bytes()).map(|(_, visit)| visit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaving() -> Visit {
        let code_verifier = Secret::new(String::new());
        Visit::Leaving(Departure { state: "s".into(), nonce: "n".into(), code_verifier })
    }

    #[test]
    fn a_visit_ends_when_closed_and_when_its_time_is_over() {
        let (visits, rng, now) = (Visits::default(), Rng::seeded(1), Timestamp::EPOCH);
        let token = visits.open(leaving(), &rng, now);
        assert!(visits.find(Some(token.expose()), now).is_some());
        assert!(visits.find(Some("else"), now).is_none());
        assert!(visits.find(Some(token.expose()), now.plus(LIFETIME)).is_none());
        assert!(visits.close(Some(token.expose())).is_some());
        assert!(visits.find(Some(token.expose()), now).is_none());
    }

    #[test]
    fn the_memory_is_bounded() {
        let (visits, rng) = (Visits::default(), Rng::seeded(1));
        for second in 0..1_100 {
            visits.open(leaving(), &rng, Timestamp::from_unix_seconds(second));
        }
        assert_eq!(visits.0.lock().unwrap().len(), CAPACITY);
    }
}
