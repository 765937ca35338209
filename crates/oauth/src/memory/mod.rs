//! Caches in memory. Every entry may be dropped at any time; each cache documents how its entries are invalidated.

mod clients;
mod failed_secrets;
mod key_ring;
mod unused_challenges;
mod verified_secrets;

pub(crate) use clients::Clients;
pub(crate) use failed_secrets::FailedSecrets;
pub(crate) use key_ring::{KeyRing, LoadedSet};
pub(crate) use unused_challenges::UnusedChallenges;
pub(crate) use verified_secrets::VerifiedSecrets;
