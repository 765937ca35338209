//! The signing keys of this server, and their sets.
//!
//! States: published -> active -> retired -> expired. A key is published before it signs, so that verifiers know its `kid`;
//! it verifies as long as the tokens that it signed may be valid. The newest active key of a set signs.

use std::time::Duration;

use base::Timestamp;
use jose::{Algorithm, Jwk};

/// Signs ID tokens, signed userinfo and logout tokens.
pub const ID_TOKEN_SET: &str = "hydra.openid.id-token";
/// Signs JWT access tokens.
pub const ACCESS_TOKEN_SET: &str = "hydra.jwt.access-token";

/// How long a new key is published before it takes over: longer than relying parties cache a key set.
pub const PUBLISHED_AHEAD: Duration = Duration::from_hours(24);

/// A stored key of a set.
#[derive(Clone, Debug)]
pub struct StoredKey {
    pub set_name: String,
    pub kid: String,
    pub jwk: Jwk,
    /// Orders keys that were written at the same time: the smaller, the newer.
    pub position: i32,
    pub created_at: Timestamp,
    pub active_at: Timestamp,
    pub retired_at: Option<Timestamp>,
    pub expires_at: Timestamp,
}

/// The next step of a set's rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationStep {
    Nothing,
    /// Generate a key that takes over at `active_at`; the others retire then and verify until `expire_at`.
    Publish {
        active_at: Timestamp,
    },
}

impl StoredKey {
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.jwk.algorithms().first().copied()
    }

    fn may_sign(&self, now: Timestamp) -> bool {
        self.jwk.is_private()
            && self.active_at <= now
            && self.retired_at.is_none_or(|at| now < at)
            && !self.is_expired(now)
    }

    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }
}

/// The signing key: the newest active one. `keys` are sorted newest first.
pub fn signer(keys: &[StoredKey], now: Timestamp) -> Option<&StoredKey> {
    keys.iter().find(|key| key.may_sign(now) && !key.jwk.algorithms().is_empty())
}

/// The algorithm of a set's next key if none is configured: that of its newest key. The first key for ID tokens is RS256,
/// the default for clients (OpenID Connect Core section 15.1, Dynamic Client Registration section 2); the first key for JWT
/// access tokens is ES256, which signs at a fraction of the cost. `keys` are sorted newest first.
pub fn next_algorithm(set_name: &str, keys: &[StoredKey]) -> Algorithm {
    let first = if set_name == ACCESS_TOKEN_SET { Algorithm::ES256 } else { Algorithm::RS256 };
    keys.iter().find_map(StoredKey::algorithm).unwrap_or(first)
}

/// Whether to publish the next key of a set. `period` is how long one key signs; zero never rotates.
pub fn rotation_step(keys: &[StoredKey], period: Duration, now: Timestamp) -> RotationStep {
    let Some(newest) = keys.iter().filter(|key| key.jwk.is_private()).map(|key| key.active_at).max() else {
        return RotationStep::Publish { active_at: now };
    };
    if period.is_zero() {
        return RotationStep::Nothing;
    }
    // A short period shortens the lead time, but never to zero.
    let ahead = PUBLISHED_AHEAD.min(period / 2);
    let takes_over = newest.plus(period);
    if now.plus(ahead) < takes_over {
        RotationStep::Nothing
    } else {
        RotationStep::Publish { active_at: takes_over.max(now.plus(ahead)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 60 * 60;

    fn at(days: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_800_000_000 + days * 86_400)
    }

    fn key(kid: &str, active: i64, retired: Option<i64>) -> StoredKey {
        StoredKey {
            set_name: ID_TOKEN_SET.to_owned(),
            kid: kid.to_owned(),
            jwk: Jwk::generate(Algorithm::EdDSA, kid.to_owned()).unwrap(),
            position: 0,
            created_at: at(active),
            active_at: at(active),
            retired_at: retired.map(at),
            expires_at: Timestamp::MAX,
        }
    }

    fn signer_at(keys: &[StoredKey], day: i64) -> Option<&str> {
        signer(keys, at(day)).map(|key| key.kid.as_str())
    }

    #[test]
    fn the_newest_active_key_signs() {
        let keys = [key("next", 30, None), key("present", 0, Some(30))];
        assert_eq!(signer_at(&keys, 29), Some("present"));
        assert_eq!(signer_at(&keys, 30), Some("next"));
        assert_eq!(signer_at(&keys, -1), None);
        let mut public = key("public", 0, None);
        public.jwk = public.jwk.to_public();
        assert_eq!(signer_at(&[public], 1), None);
    }

    #[test]
    fn the_next_key_has_the_algorithm_of_the_previous_one() {
        assert_eq!(next_algorithm(ACCESS_TOKEN_SET, &[]), Algorithm::ES256);
        assert_eq!(next_algorithm(ID_TOKEN_SET, &[]), Algorithm::RS256);
        for set_name in [ACCESS_TOKEN_SET, ID_TOKEN_SET] {
            assert_eq!(next_algorithm(set_name, &[key("present", 0, None)]), Algorithm::EdDSA);
        }
    }

    #[test]
    fn a_key_is_published_a_day_before_it_takes_over() {
        let keys = [key("present", 0, None)];
        let period = Duration::from_secs(30 * DAY);
        assert_eq!(rotation_step(&keys, period, at(28)), RotationStep::Nothing);
        assert_eq!(rotation_step(&keys, period, at(29)), RotationStep::Publish { active_at: at(30) });
        assert_eq!(rotation_step(&keys, period, at(50)), RotationStep::Publish { active_at: at(51) });
        assert_eq!(rotation_step(&keys, Duration::ZERO, at(500)), RotationStep::Nothing);
        assert_eq!(rotation_step(&[], Duration::ZERO, at(0)), RotationStep::Publish { active_at: at(0) });
    }
}
