//! Key sets as operators manage them. The operations are in `operations/manage_keys.rs`.

use std::sync::Arc;
use std::time::Duration;

use base::{Rng, Sealer};

use super::SigningKeys;

pub(crate) struct KeySets {
    pub(crate) keys: Arc<SigningKeys>,
    pub(crate) sealer: Sealer,
    pub(crate) rng: Rng,
    /// Sets that are published besides those that sign.
    pub(crate) broadcast: Vec<String>,
    /// Zero: keys are not rotated.
    pub(crate) rotation_period: Duration,
    /// For how long anything that we sign may be shown to us: tokens, and hints at a login that may be as old as a session.
    pub(crate) longest_signed_lifespan: Duration,
}
