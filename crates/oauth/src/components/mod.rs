//! The parts of the service that hold state: keys, read caches, attempt counters, and what works with them.
//!
//! An entry of a cache may be dropped at any time; each cache documents how its entries are invalidated.

pub(crate) mod challenges;
pub(crate) mod client_authenticator;
mod clients;
mod failed_secrets;
mod grants;
mod key_ring;
mod key_sets;
pub(crate) mod login_sessions;
pub(crate) mod signing_keys;
mod subjects;
pub(crate) mod token_hooks;
pub(crate) mod tokens;
mod unused_challenges;
mod verified_secrets;

use std::time::Duration;

pub(crate) use challenges::Challenges;
pub(crate) use client_authenticator::ClientAuthenticator;
pub(crate) use clients::Clients;
use failed_secrets::FailedSecrets;
pub(crate) use grants::Grants;
use key_ring::{KeyRing, LoadedSet};
pub(crate) use key_sets::KeySets;
pub(crate) use login_sessions::LoginSessions;
pub(crate) use signing_keys::{KeySettings, SigningKeys};
pub(crate) use subjects::Subjects;
pub(crate) use token_hooks::TokenHooks;
pub(crate) use tokens::Tokens;
use unused_challenges::UnusedChallenges;
use verified_secrets::VerifiedSecrets;

/// How far the clocks of two of our own nodes may differ.
const CLOCK_LEEWAY: Duration = Duration::from_secs(5);
