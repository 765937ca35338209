//! Ids of native flows that have no row: UUIDs of version 8 (RFC 9562 section 5.8) from which the service knows its own.
//!
//! | Bits | Content |
//! | --- | --- |
//! | 0-31 | the time of issue in seconds since the Unix epoch |
//! | 32-87 | random, except for the 6 bits of the version and the variant |
//! | 88-127 | a tag of the bits before, bound to the tenant and the kind of flow |
//!
//! Invariants:
//! - An id that this service did not issue, or that it issued for another tenant or kind, is not verified.
//! - Nobody else can guess an id: 90 of its bits are unknown to them, as the random bits are and, without the key, the tag.

use std::time::Duration;

use base::seal::Purpose;
use base::{Rng, Sealer, TenantId, Timestamp};
use uuid::Builder;

use super::{FlowId, FlowKind};

/// The length of what the tag authenticates.
const TAGGED: usize = 11;

/// How far the clocks of two nodes may differ. An id from a later time is not accepted.
const CLOCK_DIFFERENCE: Duration = Duration::from_mins(1);

/// An id with the time in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NativeId {
    pub id: FlowId,
    /// Without a fraction of a second.
    pub issued_at: Timestamp,
}

impl NativeId {
    pub fn issue(kind: FlowKind, tenant: TenantId, sealer: &Sealer, rng: &Rng, now: Timestamp) -> Self {
        // The format lasts until the year 2106.
        let seconds = u32::try_from(now.unix_seconds()).unwrap_or(u32::MAX);
        let mut bytes: [u8; 16] = rng.bytes();
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        let mut bytes = Builder::from_custom_bytes(bytes).into_uuid().into_bytes();
        let tag: [u8; 16 - TAGGED] = sealer.tag(purpose(kind), tenant, &bytes[..TAGGED]);
        bytes[TAGGED..].copy_from_slice(&tag);
        Self { id: FlowId::from_uuid(uuid::Uuid::from_bytes(bytes)), issued_at: time_of(seconds) }
    }

    /// The time of issue, if this service issued the id for this kind and tenant.
    pub fn verify(kind: FlowKind, tenant: TenantId, sealer: &Sealer, id: FlowId, now: Timestamp) -> Option<Self> {
        let bytes = id.as_uuid().into_bytes();
        let (tagged, tag) = bytes.split_first_chunk::<TAGGED>()?;
        let tag: &[u8; 16 - TAGGED] = tag.try_into().ok()?;
        if !sealer.is_tagged(purpose(kind), tenant, tagged, tag) {
            return None;
        }
        let issued_at = time_of(u32::from_be_bytes(*tagged.first_chunk()?));
        (issued_at <= now.plus(CLOCK_DIFFERENCE)).then_some(Self { id, issued_at })
    }
}

fn time_of(seconds: u32) -> Timestamp {
    Timestamp::from_unix_seconds(i64::from(seconds))
}

const fn purpose(kind: FlowKind) -> Purpose {
    Purpose(match kind {
        FlowKind::Login => "identity id of a login flow",
        FlowKind::Registration => "identity id of a registration flow",
        FlowKind::Settings => "identity id of a settings flow",
        FlowKind::Recovery => "identity id of a recovery flow",
        FlowKind::Verification => "identity id of a verification flow",
    })
}

#[cfg(test)]
mod tests {
    use base::{Rng, Secret};
    use proptest::prelude::*;
    use uuid::{Uuid, Variant};

    use super::*;

    const KINDS: [FlowKind; 5] =
        [FlowKind::Login, FlowKind::Registration, FlowKind::Settings, FlowKind::Recovery, FlowKind::Verification];

    fn sealer(secrets: &[&str]) -> Sealer {
        let secrets: Vec<_> = secrets.iter().map(|text| Secret::new((*text).to_owned())).collect();
        Sealer::new(&secrets, Rng::seeded(1)).unwrap()
    }

    proptest! {
        #[test]
        fn an_id_is_verified_only_for_its_kind_tenant_and_secret(
            seed: u64, seconds in 0_u32.., kind in 0_usize..5, other_kind in 0_usize..5, other_tenant in 2_i32..,
        ) {
            let (tenant, now) = (TenantId::DEFAULT, time_of(seconds));
            let (rng, own) = (Rng::seeded(seed), sealer(&["own"]));
            let native = NativeId::issue(KINDS[kind], tenant, &own, &rng, now);
            let verify = |kind, tenant, sealer: &Sealer| NativeId::verify(kind, tenant, sealer, native.id, now);
            prop_assert_eq!(native.issued_at, now);
            prop_assert_eq!(native.id.as_uuid().get_version_num(), 8);
            prop_assert_eq!(native.id.as_uuid().get_variant(), Variant::RFC4122);
            prop_assert_eq!(verify(KINDS[kind], tenant, &own), Some(native));
            prop_assert_eq!(verify(KINDS[kind], tenant, &sealer(&["new", "own"])), Some(native), "rotated secrets");
            prop_assert_eq!(verify(KINDS[kind], tenant, &sealer(&["another"])), None);
            prop_assert_eq!(verify(KINDS[kind], TenantId::from_i32(other_tenant), &own), None);
            prop_assert_eq!(verify(KINDS[other_kind], tenant, &own).is_some(), other_kind == kind);
        }

        #[test]
        fn no_other_id_is_verified(seed: u64, seconds in 0_u32.., bit in 0_usize..128, random: u128) {
            let (rng, own, now) = (Rng::seeded(seed), sealer(&["own"]), Timestamp::MAX);
            let native = NativeId::issue(FlowKind::Login, TenantId::DEFAULT, &own, &rng, time_of(seconds));
            let flipped = native.id.as_uuid().as_u128() ^ (1 << bit);
            for forged in [flipped, random, 0, u128::MAX] {
                let id = FlowId::from_uuid(Uuid::from_u128(forged));
                prop_assert_eq!(NativeId::verify(FlowKind::Login, TenantId::DEFAULT, &own, id, now), None);
            }
        }

        #[test]
        fn an_id_of_the_future_is_not_verified(seed: u64, seconds in 1_000_u32.., ahead in 0_u64..1_000) {
            let (rng, own) = (Rng::seeded(seed), sealer(&["own"]));
            let native = NativeId::issue(FlowKind::Login, TenantId::DEFAULT, &own, &rng, time_of(seconds));
            let now = time_of(seconds).minus(Duration::from_secs(ahead));
            let verified = NativeId::verify(FlowKind::Login, TenantId::DEFAULT, &own, native.id, now);
            prop_assert_eq!(verified.is_some(), ahead <= CLOCK_DIFFERENCE.as_secs());
        }
    }

    #[test]
    fn ids_of_one_second_differ_and_are_not_those_of_version_4() {
        let (rng, own, now) = (Rng::seeded(1), sealer(&["own"]), Timestamp::from_unix_seconds(1_800_000_000));
        let issue = || NativeId::issue(FlowKind::Login, TenantId::DEFAULT, &own, &rng, now).id;
        let ids: std::collections::HashSet<FlowId> = std::iter::repeat_with(issue).take(10_000).collect();
        assert_eq!(ids.len(), 10_000);
        for _ in 0..1_000 {
            let id = FlowId::generate(&rng);
            assert_eq!(NativeId::verify(FlowKind::Login, TenantId::DEFAULT, &own, id, Timestamp::MAX), None);
        }
    }
}
