//! Client secrets whose slow hash was verified before, as keyed digests under a key of this process, together with the
//! stored hash: a rotated secret misses.

use std::time::Duration;

use base::{Rng, TenantId};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::domain::client::ClientId;
use crate::domain::client_secret::ClientSecretDigest;

const MAX_SECRETS: usize = 10_000;

/// The number of concurrent slow hashes, so that guessing secrets cannot occupy every core.
const CONCURRENT_HASHES: usize = 2;

/// How long a request waits for its turn to hash.
const QUEUE_DEADLINE: Duration = Duration::from_secs(5);

pub(crate) struct VerifiedSecrets {
    key: [u8; 32],
    hashing: Semaphore,
    verified: Cache<(TenantId, ClientId), [u8; 32]>,
}

impl VerifiedSecrets {
    pub(crate) fn new(rng: &Rng) -> Self {
        Self { key: rng.bytes(), hashing: Semaphore::new(CONCURRENT_HASHES), verified: Cache::new(MAX_SECRETS) }
    }

    /// A permit to hold while computing a slow hash; `None` when the queue is too long.
    pub(crate) async fn hashing(&self) -> Option<SemaphorePermit<'_>> {
        tokio::time::timeout(QUEUE_DEADLINE, self.hashing.acquire()).await.ok()?.ok()
    }

    /// Whether exactly this secret was verified against exactly this stored hash.
    pub(crate) fn contains(
        &self,
        tenant: TenantId,
        client: &ClientId,
        stored: &ClientSecretDigest,
        secret: &str,
    ) -> bool {
        let digest = self.digest(tenant, client, stored, secret);
        self.verified.get(&(tenant, client.clone())).is_some_and(|kept| kept.ct_eq(&digest).into())
    }

    pub(crate) fn insert(&self, tenant: TenantId, client: &ClientId, stored: &ClientSecretDigest, secret: &str) {
        let digest = self.digest(tenant, client, stored, secret);
        self.verified.insert((tenant, client.clone()), digest);
    }

    fn digest(&self, tenant: TenantId, client: &ClientId, stored: &ClientSecretDigest, secret: &str) -> [u8; 32] {
        let mut hasher = Sha256::new_with_prefix(self.key);
        hasher.update(tenant.as_i32().to_be_bytes());
        // Lengths separate the parts: different inputs never have the same bytes.
        for part in [client.as_str(), &stored.to_string(), secret] {
            hasher.update(part.len().to_be_bytes());
            hasher.update(part);
        }
        // The key comes first and last, which prevents length extension.
        hasher.update(self.key);
        hasher.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use base::Secret;

    use super::*;
    use crate::domain::client_secret::SecretHasher;

    #[test]
    fn only_the_same_secret_and_hash_are_found() {
        let rng = Rng::seeded(1);
        let verified = VerifiedSecrets::new(&rng);
        let (tenant, client) = (TenantId::DEFAULT, ClientId::parse("a").unwrap());
        let hash = |text: &str| {
            let secret = Secret::new(text.to_owned());
            ClientSecretDigest::of_chosen(SecretHasher::Pbkdf2 { iterations: 1 }, &secret, &rng).unwrap()
        };
        let stored = hash("correct horse");
        verified.insert(tenant, &client, &stored, "correct horse");
        assert!(verified.contains(tenant, &client, &stored, "correct horse"));
        assert!(!verified.contains(tenant, &client, &stored, "correct hors"));
        assert!(!verified.contains(tenant, &client, &hash("correct horse"), "correct horse"));
        assert!(!verified.contains(tenant, &ClientId::parse("b").unwrap(), &stored, "correct horse"));
        assert!(!verified.contains(TenantId::from_i32(2), &client, &stored, "correct horse"));
    }
}
