//! Challenges that nobody has redeemed yet, as far as is known: see [`ReadCache`]. What this process made is
//! unused at first, so the login or consent application that asks about it right away costs no look.
//!
//! Nothing is decided by it but what a challenge is shown as: a redemption relies on the rows.

use base::TenantId;
use database::{Cacheable, Database, Error, ReadCache, ReadStart};

use crate::domain::one_time::OneTime;
use crate::storage::challenges;

const MAX_BYTES: usize = 4 << 20;
const MARKER_BYTES: usize = 64;

pub(crate) struct UnusedChallenges {
    database: Database,
    cached: ReadCache<[u8; 32], ()>,
}

impl UnusedChallenges {
    pub(crate) fn new(database: Database) -> Self {
        Self { cached: ReadCache::new(database.clone(), MAX_BYTES, MARKER_BYTES), database }
    }

    /// A challenge that was made just now.
    pub(crate) fn insert(&self, tenant: TenantId, challenge: &OneTime) {
        self.put(self.cached.start_reading(), tenant, challenge);
    }

    pub(crate) async fn contains(&self, tenant: TenantId, challenge: &OneTime) -> Result<bool, Error> {
        if self.cached.get(tenant, *challenge.marker.as_bytes()).is_some() {
            return Ok(true);
        }
        let start = self.cached.start_reading();
        let is_redeemed = challenges::is_redeemed(&mut self.database.read(tenant), challenge).await?;
        if !is_redeemed {
            self.put(start, tenant, challenge);
        }
        Ok(!is_redeemed)
    }

    fn put(&self, start: ReadStart, tenant: TenantId, challenge: &OneTime) {
        let marker = challenge.marker.as_bytes();
        self.cached.put(start, tenant, *marker, Cacheable { value: (), subjects: &[marker], bytes: MARKER_BYTES });
    }
}
