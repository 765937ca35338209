//! Access tokens and ID tokens: issued in responses, and verified in requests.

mod live;
pub(crate) mod mint;

use std::sync::Arc;

use base::{Rng, Sealer};
use database::{Database, ReadCache};
use serde_json::{Map, Value};

use super::SigningKeys;
use crate::domain::access_token::AccessToken;
use crate::domain::claims::TokenSettings;

/// What the cached access tokens take at most.
const LIVE_TOKENS_BYTES: usize = 32 << 20;

/// What a cached access token takes, roughly.
const LIVE_TOKEN_BYTES: usize = 2 << 10;

/// An access token that is live, with the claims that the consent application gave it.
#[derive(Clone, Debug)]
pub(crate) struct LiveAccessToken {
    pub token: AccessToken,
    pub shown_subject: Option<String>,
    pub ext: Map<String, Value>,
}

pub(crate) struct Tokens {
    database: Database,
    sealer: Sealer,
    rng: Rng,
    keys: Arc<SigningKeys>,
    settings: TokenSettings,
    /// Access tokens that were found live a moment ago, by digest.
    live: ReadCache<[u8; 32], LiveAccessToken>,
}

impl Tokens {
    pub(crate) fn new(
        database: Database,
        sealer: Sealer,
        rng: Rng,
        keys: Arc<SigningKeys>,
        settings: TokenSettings,
    ) -> Self {
        let live = ReadCache::new(database.clone(), LIVE_TOKENS_BYTES, LIVE_TOKEN_BYTES);
        Self { database, sealer, rng, keys, settings, live }
    }
}
