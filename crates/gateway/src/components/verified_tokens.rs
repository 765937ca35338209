//! A cache of verified tokens, so that the signature of a token is not verified on every request.
//!
//! Invariants: an entry is found only for the same token, tenant and settings, and is valid only while the key set that
//! verified it is current. It replaces signature verification and parsing of the claims, nothing else: times, issuer,
//! audience and scopes are checked on every request. Its memory is bounded.

use std::sync::{Arc, Weak};

use base::TenantId;
use jose::VerificationKeys;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::domain::session::Extra;

const MAX_BYTES: u64 = 8 << 20;
/// The typical size of an entry.
const USUAL_BYTES: u64 = 4 << 10;
/// The size of an entry without its claims.
const ENTRY_BYTES: usize = 512;
/// The claims are stored twice, as received and for templates, and parsed JSON takes a multiple of its text.
const BYTES_FOR_A_BYTE: usize = 8;

/// All inputs of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TokenKey([u8; 32]);

impl TokenKey {
    /// `settings` is a digest of all settings that affect signature verification.
    pub(crate) fn of(tenant: TenantId, settings: &[u8; 32], token: &str) -> Self {
        let digest = Sha256::new().chain_update(tenant.as_i32().to_be_bytes()).chain_update(settings);
        Self(digest.chain_update(token).finalize().into())
    }
}

/// A token whose signature was verified.
#[derive(Debug)]
pub(crate) struct VerifiedToken {
    pub(crate) kid: String,
    /// The claims as received.
    pub(crate) claims: Map<String, Value>,
    pub(crate) subject: String,
    /// The claims for templates.
    pub(crate) extra: Extra,
    keys: Weak<VerificationKeys>,
    bytes: u64,
}

impl VerifiedToken {
    pub(crate) fn new(
        kid: String,
        claims: Map<String, Value>,
        extra: Extra,
        keys: &Arc<VerificationKeys>,
        token_length: usize,
    ) -> Self {
        let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default().to_owned();
        let bytes = (ENTRY_BYTES + token_length * BYTES_FOR_A_BYTE) as u64;
        Self { kid, claims, subject, extra, keys: Arc::downgrade(keys), bytes }
    }

    /// Whether these keys verified it. A replaced key set never compares equal, even after it was freed.
    pub(crate) fn was_verified_with(&self, keys: &Arc<VerificationKeys>) -> bool {
        std::ptr::eq(self.keys.as_ptr(), Arc::as_ptr(keys))
    }
}

pub(crate) struct VerifiedTokens(Cache<TokenKey, Arc<VerifiedToken>, ByBytes>);

#[derive(Clone)]
struct ByBytes;

impl Weighter<TokenKey, Arc<VerifiedToken>> for ByBytes {
    fn weight(&self, _: &TokenKey, token: &Arc<VerifiedToken>) -> u64 {
        token.bytes
    }
}

impl VerifiedTokens {
    pub(crate) fn new() -> Self {
        let expected_items = usize::try_from(MAX_BYTES / USUAL_BYTES).unwrap_or(usize::MAX);
        Self(Cache::with_weighter(expected_items, MAX_BYTES, ByBytes))
    }

    pub(crate) fn get(&self, key: &TokenKey) -> Option<Arc<VerifiedToken>> {
        self.0.get(key)
    }

    pub(crate) fn put(&self, key: TokenKey, token: Arc<VerifiedToken>) {
        self.0.insert(key, token);
    }
}

impl std::fmt::Debug for VerifiedTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiedTokens").field("entries", &self.0.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_differs_by_tenant_settings_and_token() {
        let key = TokenKey::of(TenantId::DEFAULT, &[0; 32], "a");
        assert_eq!(key, TokenKey::of(TenantId::DEFAULT, &[0; 32], "a"));
        for other in [
            TokenKey::of(TenantId::from_i32(2), &[0; 32], "a"),
            TokenKey::of(TenantId::DEFAULT, &[1; 32], "a"),
            TokenKey::of(TenantId::DEFAULT, &[0; 32], "b"),
        ] {
            assert_ne!(key, other);
        }
    }

    #[test]
    fn cached_tokens_are_bounded_by_bytes() {
        let (tokens, keys) = (VerifiedTokens::new(), Arc::new(VerificationKeys::default()));
        let token = || Arc::new(VerifiedToken::new(String::new(), Map::new(), Extra::default(), &keys, 2048));
        for number in 0..2000 {
            tokens.put(TokenKey::of(TenantId::DEFAULT, &[0; 32], &format!("{number}")), token());
            assert!(tokens.0.weight() <= MAX_BYTES);
        }
        assert!(tokens.0.len() > 100, "{} of some 500 that fit", tokens.0.len());
    }
}
