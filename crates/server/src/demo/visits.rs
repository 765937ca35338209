//! The visits of the relying party: pending sign-ins and sessions. They are kept in memory, by the digest of a cookie.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base::{PlainToken, Rng, Secret, Timestamp};
use serde_json::Value;

use super::documents::Reading;

pub(super) const COOKIE: &str = "kleis_demo";

/// A visit ends after this time.
const LIFETIME: Duration = Duration::from_hours(8);
/// Above this number of visits of a kind, pending or signed in, the oldest of that kind is removed. It bounds the memory that
/// strangers can fill; pending visits, which anyone can open, do not remove those of persons.
const CAPACITY: usize = 1_000;

#[derive(Clone)]
pub(super) enum Visit {
    /// A form was sent after the session had ended: the next sign-in continues there.
    Ended(Resume),
    /// A pending sign-in, what the response must match, and where it continues.
    Leaving(Departure, Option<Resume>),
    SignedIn(SignedIn),
}

impl Visit {
    fn is_signed_in(&self) -> bool {
        matches!(self, Self::SignedIn(_))
    }
}

/// A place of the page of a signed-in person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resume {
    /// The id of a field or a section.
    pub(super) place: &'static str,
    /// The address that was entered there.
    pub(super) typed: String,
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

/// The result of a call to the sample API.
#[derive(Debug)]
pub(super) struct ApiAnswer {
    pub(super) status: u16,
    pub(super) body: String,
}

/// The answer of the API to a request for a document, and the explanation of the permission service.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) answer: ApiAnswer,
    pub(super) reading: Reading,
}

/// What a form came to, for the page that the browser is redirected to: a reload of that page does not send the form again.
#[derive(Debug)]
pub(super) enum Outcome {
    Called(ApiAnswer),
    Shared {
        reader: String,
    },
    Revoked {
        reader: String,
    },
    NotRevoked,
    /// Where the person was before the session ended.
    Resumed(Resume),
    Opened {
        owner: String,
        opened: Opened,
    },
    Refused {
        /// The name of the field.
        field: &'static str,
        typed: String,
        refusal: Refusal,
    },
}

/// Why an address was refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// There is no address.
    Empty,
    /// No identity has it.
    Nobody,
    /// It is that of the owner.
    Own,
    /// An API failed.
    Failed,
}

struct Entry {
    since: Timestamp,
    visit: Visit,
    /// Until it was shown.
    outcome: Option<Outcome>,
}

#[derive(Default)]
pub(super) struct Visits(Mutex<HashMap<[u8; 32], Entry>>);

impl Visits {
    /// Stores a visit under a new cookie value, and returns that value.
    pub(super) fn open(&self, visit: Visit, rng: &Rng, now: Timestamp) -> PlainToken {
        let token = PlainToken::generate(rng, "", 32);
        let mut visits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        visits.retain(|_, entry| now.since(entry.since) < LIFETIME);
        let of_its_kind = || visits.iter().filter(|(_, entry)| entry.visit.is_signed_in() == visit.is_signed_in());
        if of_its_kind().count() >= CAPACITY
            && let Some(oldest) = of_its_kind().min_by_key(|(_, entry)| entry.since).map(|(digest, _)| *digest)
        {
            visits.remove(&oldest);
        }
        visits.insert(*token.digest().as_bytes(), Entry { since: now, visit, outcome: None });
        token
    }

    pub(super) fn find(&self, cookie: Option<&str>, now: Timestamp) -> Option<Visit> {
        let digest = PlainToken::received(cookie?).digest();
        let visits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = visits.get(digest.as_bytes()).filter(|entry| now.since(entry.since) < LIFETIME);
        entry.map(|entry| entry.visit.clone())
    }

    /// Keeps the outcome of a form until it is shown.
    pub(super) fn keep_outcome(&self, cookie: Option<&str>, outcome: Outcome) {
        let Some(cookie) = cookie else { return };
        let digest = PlainToken::received(cookie).digest();
        if let Some(entry) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(digest.as_bytes()) {
            entry.outcome = Some(outcome);
        }
    }

    /// The outcome of the last form, once.
    pub(super) fn take_outcome(&self, cookie: Option<&str>) -> Option<Outcome> {
        let digest = PlainToken::received(cookie?).digest();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(digest.as_bytes())?.outcome.take()
    }

    /// Removes a visit in which nobody is signed in, and returns it.
    pub(super) fn close_pending(&self, cookie: Option<&str>) -> Option<Visit> {
        let digest = PlainToken::received(cookie?).digest();
        let mut visits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if visits.get(digest.as_bytes())?.visit.is_signed_in() {
            return None;
        }
        visits.remove(digest.as_bytes()).map(|entry| entry.visit)
    }

    /// Removes a visit and returns it. Its cookie is invalid afterwards.
    pub(super) fn close(&self, cookie: Option<&str>) -> Option<Visit> {
        let digest = PlainToken::received(cookie?).digest();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(digest.as_bytes()).map(|entry| entry.visit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaving() -> Visit {
        let code_verifier = Secret::new(String::new());
        Visit::Leaving(Departure { state: "s".into(), nonce: "n".into(), code_verifier }, None)
    }

    fn signed_in() -> Visit {
        let secret = || Secret::new(String::new());
        Visit::SignedIn(SignedIn { claims: Value::Null, id_token: secret(), access_token: secret() })
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
    fn an_outcome_is_shown_once() {
        let (visits, rng) = (Visits::default(), Rng::seeded(1));
        let token = visits.open(leaving(), &rng, Timestamp::EPOCH);
        visits.keep_outcome(Some("else"), Outcome::NotRevoked);
        assert!(visits.take_outcome(Some(token.expose())).is_none());
        visits.keep_outcome(Some(token.expose()), Outcome::Shared { reader: "ada".into() });
        let shown = visits.take_outcome(Some(token.expose()));
        assert!(matches!(&shown, Some(Outcome::Shared { reader }) if reader == "ada"), "{shown:?}");
        assert!(visits.take_outcome(Some(token.expose())).is_none());
    }

    #[test]
    fn pending_and_signed_in_visits_are_bounded_and_do_not_remove_each_other() {
        for (of_one_kind, other) in [(leaving as fn() -> Visit, signed_in as fn() -> Visit), (signed_in, leaving)] {
            let (visits, rng) = (Visits::default(), Rng::seeded(1));
            let at = Timestamp::from_unix_seconds;
            let first = visits.open(other(), &rng, at(0));
            let oldest = visits.open(of_one_kind(), &rng, at(1));
            for second in 2..1_100 {
                visits.open(of_one_kind(), &rng, at(second));
            }
            let now = at(1_100);
            assert!(visits.find(Some(first.expose()), now).is_some(), "it is the only one of its kind");
            assert!(visits.find(Some(oldest.expose()), now).is_none());
            assert_eq!(visits.0.lock().unwrap().len(), CAPACITY + 1);
        }
    }
}
