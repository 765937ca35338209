//! Limits on attempts: which budget a guess or a message counts against, and whether it is allowed.
//! `docs/adr/0008-attempt-limits.md` gives the reasons.
//!
//! Invariants:
//! - A client that is familiar to the user has a budget of its own. Strangers cannot use it up.
//! - Responses to strangers do not depend on whether an account with the given name exists.

use std::time::Duration;

use base::{Budget, Timestamp};

use super::IdentityId;

/// How many clients one user can be familiar with.
pub const MAX_FAMILIAR: u16 = 16;

/// Failed guesses at a password or a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuessLimits {
    /// For one user and one familiar device or network.
    pub familiar: Budget,
    /// For one user, over all other devices and networks.
    pub stranger: Budget,
    /// From one network, over all users.
    pub network: Budget,
    /// Over all users and networks, in one process.
    pub tenant: Budget,
}

/// Messages that carry a code or a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageLimits {
    /// To one recipient, requested from a device or network that is familiar to them.
    pub familiar: Budget,
    /// To one recipient, requested from anywhere else.
    pub stranger: Budget,
    /// Requested from one network.
    pub network: Budget,
    /// Over all networks, in one process.
    pub tenant: Budget,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptLimits {
    pub guesses: GuessLimits,
    pub messages: MessageLimits,
    /// Attempts to register names that are taken, from one network.
    pub taken_names: Budget,
    /// How long a device or network stays familiar after the last sign-in.
    pub familiar_for: Duration,
}

impl Default for AttemptLimits {
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_mins(1);
        Self {
            guesses: GuessLimits {
                // The same as for strangers, so that a familiar network cannot distinguish a known name from an unknown one.
                familiar: Budget::new(10, MINUTE.saturating_mul(10)),
                stranger: Budget::new(10, MINUTE.saturating_mul(10)),
                network: Budget::new(200, Duration::from_secs(3)),
                tenant: Budget::new(50_000, Duration::from_millis(12)),
            },
            messages: MessageLimits {
                familiar: Budget::new(10, Duration::from_secs(90)),
                stranger: Budget::new(5, MINUTE.saturating_mul(15)),
                network: Budget::new(30, Duration::from_secs(30)),
                tenant: Budget::new(10_000, Duration::from_millis(90)),
            },
            taken_names: Budget::new(30, Duration::from_secs(20)),
            familiar_for: Duration::from_hours(180 * 24),
        }
    }
}

/// The key of a budget, stored as a digest: no name or address is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Counter([u8; 32]);

impl Counter {
    fn of(parts: &[&[u8]]) -> Self {
        Self(base::digest_parts(parts))
    }

    pub fn name(name: &str) -> Self {
        Self::of(&[b"name", name.as_bytes()])
    }

    pub fn person(person: IdentityId) -> Self {
        Self::of(&[b"person", person.as_uuid().as_bytes()])
    }

    /// The guesses at the second factors of a user, which need a session of theirs: guesses at the password, which anyone can make,
    /// do not use them up.
    pub fn second_factor(person: IdentityId) -> Self {
        Self::of(&[b"second factor", person.as_uuid().as_bytes()])
    }

    /// Used instead of the name, in guesses at second factors.
    pub fn name_of_second_factor(person: IdentityId) -> Self {
        Self::of(&[b"name of second factor", person.as_uuid().as_bytes()])
    }

    /// Used instead of the user when the name is unknown.
    pub fn nobody(name: &str) -> Self {
        Self::of(&[b"nobody", name.as_bytes()])
    }

    pub fn network(network: &str) -> Self {
        Self::of(&[b"network", network.as_bytes()])
    }

    pub fn device(token: &str) -> Self {
        Self::of(&[b"device", token.as_bytes()])
    }

    pub fn session(session: super::SessionId) -> Self {
        Self::of(&[b"session", session.as_uuid().as_bytes()])
    }

    /// The guesses at one code of a flow.
    pub fn code(flow: super::flow::FlowId, purpose: super::code::CodePurpose) -> Self {
        Self::of(&[b"code", flow.as_uuid().as_bytes(), purpose.as_str().as_bytes()])
    }

    /// A familiar client of one user or recipient.
    #[must_use]
    pub fn from_client(self, client: Self) -> Self {
        Self::of(&[b"from client", &self.0, &client.0])
    }

    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// How much of a budget is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The time when the budget is full again; `None` when it is full now.
    pub full_at: Option<Timestamp>,
    /// Attempts that are being checked now.
    pub in_flight: u32,
}

/// The budgets that apply to a guess.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuessUsage {
    /// One for each device, network or session that is familiar to the user, in order of preference.
    pub familiar: Vec<Usage>,
    pub name: Usage,
    pub person: Usage,
    pub network: Usage,
    pub tenant: Usage,
}

/// What a guess counts against if it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The familiar client at this position, and nothing else.
    Familiar(usize),
    /// The name, the user, the network and the tenant.
    Stranger,
    /// As [`Admission::Stranger`], but the result is ignored: the user's budget is used up under another name of theirs. A
    /// rejection would reveal that the names belong to one user.
    Ignored,
}

impl GuessLimits {
    /// Whether one more guess is checked; otherwise the time to wait for it.
    pub fn admit(&self, usage: &GuessUsage, now: Timestamp) -> Result<Admission, Duration> {
        let admit = |budget: Budget, usage: Usage| budget.admit(usage.full_at, usage.in_flight, now);
        let mut shortest: Option<Duration> = None;
        for (position, familiar) in usage.familiar.iter().enumerate() {
            match admit(self.familiar, *familiar) {
                Ok(()) => return Ok(Admission::Familiar(position)),
                Err(wait) => shortest = Some(shortest.map_or(wait, |known| known.min(wait))),
            }
        }
        if let Some(wait) = shortest {
            return Err(wait);
        }
        let strangers = [(self.stranger, usage.name), (self.network, usage.network), (self.tenant, usage.tenant)];
        let longest = strangers.into_iter().filter_map(|(budget, usage)| admit(budget, usage).err()).max();
        match longest {
            Some(wait) => Err(wait),
            None if admit(self.stranger, usage.person).is_err() => Ok(Admission::Ignored),
            None => Ok(Admission::Stranger),
        }
    }
}

#[cfg(test)]
mod tests {
    use base::Rng;
    use proptest::prelude::*;

    use super::*;

    const LIMITS: GuessLimits = GuessLimits {
        familiar: Budget::new(2, Duration::from_secs(10)),
        stranger: Budget::new(3, Duration::from_mins(1)),
        network: Budget::new(5, Duration::from_secs(1)),
        tenant: Budget::new(100, Duration::from_millis(1)),
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_000_000 + seconds)
    }

    fn used_up(budget: Budget) -> Usage {
        Usage { full_at: Some(at(0).plus(budget.whole())), in_flight: 0 }
    }

    #[test]
    fn a_familiar_client_is_admitted_when_strangers_used_up_their_budgets() {
        let usage = GuessUsage {
            familiar: vec![Usage::default()],
            name: used_up(LIMITS.stranger),
            person: used_up(LIMITS.stranger),
            network: used_up(LIMITS.network),
            tenant: used_up(LIMITS.tenant),
        };
        assert_eq!(LIMITS.admit(&usage, at(0)), Ok(Admission::Familiar(0)));
        let stranger = GuessUsage { familiar: Vec::new(), ..usage.clone() };
        assert_eq!(LIMITS.admit(&stranger, at(0)), Err(Duration::from_mins(1)));
        let tired = GuessUsage { familiar: vec![used_up(LIMITS.familiar)], ..usage };
        assert_eq!(LIMITS.admit(&tired, at(0)), Err(Duration::from_secs(10)), "the familiar client's own wait");
    }

    #[test]
    fn a_familiar_client_has_no_more_guesses_than_a_stranger() {
        let usage = GuessUsage { familiar: vec![used_up(LIMITS.familiar), Usage::default()], ..GuessUsage::default() };
        assert_eq!(LIMITS.admit(&usage, at(0)), Ok(Admission::Familiar(1)));
        let usage = GuessUsage { familiar: vec![used_up(LIMITS.familiar)], ..GuessUsage::default() };
        assert_eq!(LIMITS.admit(&usage, at(0)), Err(Duration::from_secs(10)));
    }

    #[test]
    fn another_name_of_an_attacked_person_is_answered_like_an_unknown_name() {
        let attacked = GuessUsage { person: used_up(LIMITS.stranger), ..GuessUsage::default() };
        assert_eq!(LIMITS.admit(&attacked, at(0)), Ok(Admission::Ignored));
        let named = GuessUsage { name: used_up(LIMITS.stranger), ..GuessUsage::default() };
        let both = GuessUsage { person: used_up(LIMITS.stranger), ..named.clone() };
        assert_eq!(LIMITS.admit(&both, at(0)), LIMITS.admit(&named, at(0)));
    }

    #[test]
    fn counters_of_different_things_differ() {
        let rng = Rng::seeded(1);
        let (a, b) = (IdentityId::generate(&rng), IdentityId::generate(&rng));
        let network = Counter::network("192.0.2.1");
        let all = [
            Counter::name("x"),
            Counter::nobody("x"),
            Counter::device("x"),
            Counter::network("x"),
            network,
            Counter::person(a),
            Counter::person(b),
            Counter::person(a).from_client(network),
            Counter::person(b).from_client(network),
        ];
        let distinct: std::collections::HashSet<_> = all.into_iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    proptest! {
        /// However strangers spread their guesses over time and networks, the number that is checked in one day is at most
        /// the budget plus its refill.
        #[test]
        fn guesses_of_strangers_are_bounded_over_any_day(gaps in proptest::collection::vec(0_u64..900, 1..400)) {
            let (mut name, mut checked, mut now) = (None, 0_u64, at(0));
            let start = now;
            for gap in gaps {
                now = now.plus(Duration::from_secs(gap));
                let usage = GuessUsage { name: Usage { full_at: name, in_flight: 0 }, ..GuessUsage::default() };
                if LIMITS.admit(&usage, now).is_ok() {
                    checked += 1;
                    name = Some(LIMITS.stranger.spend(name, now));
                }
            }
            let bound = u64::from(LIMITS.stranger.burst) + now.since(start).as_secs() / LIMITS.stranger.refill.as_secs();
            prop_assert!(checked <= bound, "{checked} of {bound}");
        }

        /// A familiar client with an unused budget is checked, whatever others did.
        #[test]
        fn strangers_cannot_lock_out_a_familiar_client(spent in proptest::array::uniform4(0_u64..1_000_000), in_flight in 0_u32..1_000) {
            let level = |seconds| Usage { full_at: Some(at(0).plus(Duration::from_secs(seconds))), in_flight };
            let usage = GuessUsage {
                familiar: vec![Usage::default()],
                name: level(spent[0]),
                person: level(spent[1]),
                network: level(spent[2]),
                tenant: level(spent[3]),
            };
            prop_assert_eq!(LIMITS.admit(&usage, at(0)), Ok(Admission::Familiar(0)));
        }
    }
}
