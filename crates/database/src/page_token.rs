//! Page tokens: typed, sealed, bound to a tenant and to one listing. They never reach SQL as text.

use std::marker::PhantomData;

use base::{Sealer, TenantId, Timestamp, seal::Purpose};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Seals and opens the page tokens of one listing with the keyset `K`.
#[derive(Debug)]
pub struct PageToken<K> {
    listing: Purpose,
    key: PhantomData<fn() -> K>,
}

/// The token does not belong to this listing or this tenant, or was not sealed by this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the page token is not valid")]
pub struct InvalidPageToken;

#[derive(Serialize, Deserialize)]
struct Sealed<K> {
    key: K,
    issued_at: i64,
}

impl<K: Serialize + DeserializeOwned> PageToken<K> {
    /// `listing` names the collection, for instance `"page of identities"`: a token of one never opens another.
    pub const fn new(listing: &'static str) -> Self {
        Self { listing: Purpose(listing), key: PhantomData }
    }

    pub fn seal(&self, sealer: &Sealer, tenant: TenantId, key: K, now: Timestamp) -> String {
        let content = Sealed { key, issued_at: now.unix_seconds() };
        // Keys are plain values, so serialization does not fail.
        sealer.seal_text(self.listing, tenant, &serde_json::to_vec(&content).unwrap_or_default())
    }

    pub fn open(&self, sealer: &Sealer, tenant: TenantId, token: &str) -> Result<K, InvalidPageToken> {
        let bytes = sealer.open_text(self.listing, tenant, token).map_err(|_| InvalidPageToken)?;
        let content: Sealed<K> = serde_json::from_slice(&bytes).map_err(|_| InvalidPageToken)?;
        Ok(content.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::{Rng, Secret};

    #[test]
    fn a_token_opens_only_for_its_listing_and_tenant() {
        const PEOPLE: PageToken<(i64, String)> = PageToken::new("page of people");
        const CLIENTS: PageToken<(i64, String)> = PageToken::new("page of clients");
        let sealer = Sealer::new(&[Secret::new("secret".to_owned())], Rng::seeded(1)).unwrap();
        let key = (5, "x' OR 1=1".to_owned());
        let token = PEOPLE.seal(&sealer, TenantId::DEFAULT, key.clone(), Timestamp::EPOCH);
        assert_eq!(PEOPLE.open(&sealer, TenantId::DEFAULT, &token), Ok(key));
        assert_eq!(CLIENTS.open(&sealer, TenantId::DEFAULT, &token), Err(InvalidPageToken));
        assert_eq!(PEOPLE.open(&sealer, TenantId::from_i32(2), &token), Err(InvalidPageToken));
        assert_eq!(PEOPLE.open(&sealer, TenantId::DEFAULT, "../../etc/passwd"), Err(InvalidPageToken));
    }
}
