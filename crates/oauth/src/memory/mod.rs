//! What a process keeps in memory so that it need not read or compute it again. Everything here may be thrown away at any
//! time, and says how it learns that it is out of date.

mod clients;
mod failed_secrets;
mod key_ring;
mod remote_key_sets;
mod unused_challenges;
mod verified_secrets;

pub(crate) use clients::Clients;
pub(crate) use failed_secrets::FailedSecrets;
pub(crate) use key_ring::{KeyRing, LoadedSet};
pub(crate) use remote_key_sets::RemoteKeySets;
pub(crate) use unused_challenges::UnusedChallenges;
pub(crate) use verified_secrets::VerifiedSecrets;
