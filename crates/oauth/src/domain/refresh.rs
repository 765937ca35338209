//! Refresh tokens (RFC 6749 section 6, RFC 9700 section 4.14.2): each use rotates the token.
//!
//! A token contains its sealed grant and generation. The current generation rotates. Its predecessor, presented again
//! within the grace period, returns the same successor: for a lost response, or a repeated request. An older token, or a
//! later use, means that the token was stolen, and ends the family.

use std::time::Duration;

use base::seal::Purpose;
use base::{PlainToken, Rng, Sealer, TenantId, Timestamp};
use uuid::Uuid;

use super::client::ClientId;
use super::grant::{Grant, GrantId};
use super::sealed_token::REFRESH_TOKEN;

const SUCCESSOR: Purpose = Purpose("oauth refresh successor");

/// The content of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    pub grant: GrantId,
    pub generation: i32,
}

/// When a rotated token may be presented again.
#[derive(Clone, Copy, Debug, Default)]
pub struct GracePolicy {
    pub period: Duration,
    /// 0 for unlimited uses in the period.
    pub uses: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// Issue a successor, provided the generation is still current when it is written.
    Rotate,
    /// Return the existing successor.
    Repeat,
    /// The request ran concurrently with the one that rotated the token: it is rejected, without revoking the family.
    Outrun,
    /// The family must be revoked.
    Reused,
    Refused(RefreshRefusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefreshRefusal {
    #[error("the refresh token is unknown")]
    Unknown,
    #[error("the refresh token was issued to another client")]
    OtherClient,
    #[error("the refresh token has expired")]
    Expired,
    #[error("the refresh token was revoked")]
    Revoked,
}

impl RefreshToken {
    pub fn seal(self, sealer: &Sealer, rng: &Rng, tenant: TenantId) -> PlainToken {
        let mut payload = [0; 36];
        payload[..16].copy_from_slice(self.grant.as_uuid().as_bytes());
        payload[16..20].copy_from_slice(&self.generation.to_be_bytes());
        rng.fill(&mut payload[20..]);
        REFRESH_TOKEN.seal(sealer, tenant, &payload)
    }

    /// `None` when the token was not issued by this service.
    pub fn open(sealer: &Sealer, tenant: TenantId, token: &PlainToken) -> Option<Self> {
        let payload = REFRESH_TOKEN.open(sealer, tenant, token.expose())?;
        let (grant, rest) = payload.split_first_chunk::<16>()?;
        let (generation, _) = rest.split_first_chunk::<4>()?;
        Some(Self { grant: GrantId::from_uuid(Uuid::from_bytes(*grant)), generation: i32::from_be_bytes(*generation) })
    }
}

/// The current token as stored in its row for the grace period.
pub fn seal_successor(sealer: &Sealer, tenant: TenantId, token: &PlainToken) -> Vec<u8> {
    sealer.seal(SUCCESSOR, tenant, token.expose().as_bytes())
}

pub fn open_successor(sealer: &Sealer, tenant: TenantId, kept: &[u8]) -> Option<PlainToken> {
    let bytes = sealer.open(SUCCESSOR, tenant, kept).ok()?;
    String::from_utf8(bytes).ok().map(PlainToken::received)
}

impl Grant {
    /// Whether the presented token may be rotated. `generation` is the token's.
    pub fn rotate(
        &self,
        client: &ClientId,
        presented: &PlainToken,
        generation: i32,
        policy: GracePolicy,
        now: Timestamp,
    ) -> Rotation {
        let Some(family) = &self.refresh else { return Rotation::Refused(RefreshRefusal::Unknown) };
        if self.client_id != *client {
            return Rotation::Refused(RefreshRefusal::OtherClient);
        }
        if self.revoked_at.is_some() {
            return Rotation::Refused(RefreshRefusal::Revoked);
        }
        if family.generation == generation {
            return if family.digest != presented.digest() {
                // Sealed by this service, but not an issued token: an attacker has the key and is guessing.
                Rotation::Refused(RefreshRefusal::Unknown)
            } else if family.expires_at <= now {
                Rotation::Refused(RefreshRefusal::Expired)
            } else {
                Rotation::Rotate
            };
        }
        let rotated_at = match family.rotated_at {
            Some(rotated_at) if family.generation == generation.saturating_add(1) => rotated_at,
            _ => return Rotation::Reused,
        };
        let uses_left = policy.uses == 0 || u32::try_from(family.grace_uses).is_ok_and(|used| used < policy.uses);
        let in_grace = !policy.period.is_zero() && now < rotated_at.plus(policy.period);
        if in_grace && uses_left && family.expires_at > now {
            Rotation::Repeat
        } else if now < rotated_at {
            Rotation::Outrun
        } else {
            Rotation::Reused
        }
    }
}

#[cfg(test)]
mod tests {
    use base::Rng;
    use base::Secret;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::grant::RefreshFamily;
    use crate::testing::a_grant;

    const START: i64 = 1_800_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(START + seconds)
    }

    /// A family in its third generation, rotated at second 100.
    fn third_generation() -> (Grant, PlainToken) {
        let token = PlainToken::received("ory_rt_third");
        let mut grant = a_grant(at(0));
        grant.refresh = Some(RefreshFamily {
            generation: 3,
            digest: token.digest(),
            successor: Some(vec![1]),
            rotated_at: Some(at(100)),
            grace_uses: 1,
            expires_at: at(10_000),
        });
        (grant, token)
    }

    fn rotate(generation: i32, period: u64, uses: u32, now: i64) -> Rotation {
        let (grant, token) = third_generation();
        let grace = GracePolicy { period: Duration::from_secs(period), uses };
        grant.rotate(&grant.client_id, &token, generation, grace, at(now))
    }

    #[test]
    fn the_current_token_rotates_until_it_expires() {
        assert_eq!(rotate(3, 0, 0, 200), Rotation::Rotate);
        assert_eq!(rotate(3, 0, 0, 10_000), Rotation::Refused(RefreshRefusal::Expired));
    }

    #[test]
    fn the_predecessor_returns_the_same_successor_in_the_grace_period() {
        assert_eq!(rotate(2, 10, 0, 109), Rotation::Repeat);
        assert_eq!(rotate(2, 10, 0, 110), Rotation::Reused);
        assert_eq!(rotate(2, 10, 2, 101), Rotation::Repeat);
        assert_eq!(rotate(2, 10, 1, 101), Rotation::Reused);
    }

    #[test]
    fn without_grace_a_second_use_ends_the_family_unless_it_was_concurrent() {
        assert_eq!(rotate(2, 0, 0, 100), Rotation::Reused);
        assert_eq!(rotate(2, 0, 0, 99), Rotation::Outrun);
    }

    #[test]
    fn older_generations_end_the_family_even_in_the_grace_period() {
        assert_eq!(rotate(1, 1000, 0, 101), Rotation::Reused);
        assert_eq!(rotate(i32::MAX, 1000, 0, 101), Rotation::Reused);
    }

    #[test]
    fn another_client_or_an_unissued_token_is_unknown_and_ends_nothing() {
        let (mut grant, token) = third_generation();
        let grace = GracePolicy::default();
        let other = ClientId::parse("other").unwrap();
        assert_eq!(grant.rotate(&other, &token, 2, grace, at(200)), Rotation::Refused(RefreshRefusal::OtherClient));
        let forged = PlainToken::received("ory_rt_forged");
        let client = grant.client_id.clone();
        assert_eq!(grant.rotate(&client, &forged, 3, grace, at(200)), Rotation::Refused(RefreshRefusal::Unknown));
        grant.revoked_at = Some(at(150));
        assert_eq!(grant.rotate(&client, &token, 3, grace, at(200)), Rotation::Refused(RefreshRefusal::Revoked));
    }

    proptest! {
        #[test]
        fn a_token_round_trips(generation in 1..i32::MAX, seed in any::<u64>()) {
            let rng = Rng::seeded(seed);
            let sealer = Sealer::new(&[Secret::new("a secret of some length".to_owned())], rng.clone()).unwrap();
            let token = RefreshToken { grant: GrantId::generate(&rng), generation };
            let sealed = token.seal(&sealer, &rng, TenantId::DEFAULT);
            prop_assert_eq!(RefreshToken::open(&sealer, TenantId::DEFAULT, &sealed), Some(token));
            prop_assert_eq!(RefreshToken::open(&sealer, TenantId::from_i32(9), &sealed), None);
            let kept = seal_successor(&sealer, TenantId::DEFAULT, &sealed);
            let opened = open_successor(&sealer, TenantId::DEFAULT, &kept).unwrap();
            prop_assert_eq!(opened.expose(), sealed.expose());
        }
    }
}
