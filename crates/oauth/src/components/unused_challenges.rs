//! Challenges that are known to be unused: see [`ReadCache`]. A challenge that this process issued is unused at first, so
//! the login or consent application can read it right away without a database read.
//!
//! The cache only affects the state that is shown for a challenge; a redemption relies on the rows.

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

    /// A challenge that was just issued.
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
