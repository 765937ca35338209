//! Challenges that nobody has redeemed yet, as far as was seen a moment ago: see [`Remembered`]. What this process made is
//! unused at first, so the login or consent application that asks about it right away costs no look.
//!
//! Nothing is decided by it but what a challenge is shown as: a redemption relies on the rows.

use base::TenantId;
use database::{Database, Error, ReadStart, Remembered};

use crate::domain::one_time::OneTime;
use crate::storage::challenges;

/// Challenges that are remembered at a time.
const CAPACITY: usize = 10_000;

pub(crate) struct UnusedChallenges {
    database: Database,
    remembered: Remembered<[u8; 32], ()>,
}

impl UnusedChallenges {
    pub(crate) fn new(database: Database) -> Self {
        Self { remembered: Remembered::new(database.clone(), CAPACITY), database }
    }

    /// A challenge that was made just now.
    pub(crate) fn insert(&self, tenant: TenantId, challenge: &OneTime) {
        self.put(self.remembered.start_reading(), tenant, challenge);
    }

    pub(crate) async fn contains(&self, tenant: TenantId, challenge: &OneTime) -> Result<bool, Error> {
        if self.remembered.get(tenant, *challenge.marker.as_bytes()).is_some() {
            return Ok(true);
        }
        let start = self.remembered.start_reading();
        let is_redeemed = challenges::is_redeemed(&mut self.database.read(tenant), challenge).await?;
        if !is_redeemed {
            self.put(start, tenant, challenge);
        }
        Ok(!is_redeemed)
    }

    fn put(&self, start: ReadStart, tenant: TenantId, challenge: &OneTime) {
        let marker = challenge.marker.as_bytes();
        self.remembered.put(start, tenant, *marker, &[marker], ());
    }
}
