//! The number of identities of each tenant, for the older paging, which returns it with every page. The time of a count grows with the
//! table, so a large number is kept for a moment; a small one is always current.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base::{TenantId, Timestamp};

/// Fewer are counted within a millisecond or two.
const LARGE: i64 = 10_000;
const KEPT_FOR: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(crate) struct Totals(Mutex<HashMap<TenantId, (i64, Timestamp)>>);

impl Totals {
    /// The number, if it was counted a moment ago.
    pub(crate) fn get(&self, tenant: TenantId, now: Timestamp) -> Option<i64> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&tenant).filter(|(_, at)| now.since(*at) < KEPT_FOR).map(|(total, _)| *total)
    }

    /// Keeps a number that was counted now, if it is large.
    pub(crate) fn keep(&self, tenant: TenantId, total: i64, now: Timestamp) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if total < LARGE {
            kept.remove(&tenant);
        } else {
            kept.insert(tenant, (total, now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_number_is_kept_for_a_moment_and_a_small_one_never() {
        let (totals, other) = (Totals::default(), TenantId::from_i32(2));
        let at = Timestamp::from_unix_seconds;
        totals.keep(TenantId::DEFAULT, LARGE, at(100));
        assert_eq!(totals.get(TenantId::DEFAULT, at(109)), Some(LARGE));
        assert_eq!(totals.get(TenantId::DEFAULT, at(110)), None);
        assert_eq!(totals.get(other, at(100)), None);
        totals.keep(TenantId::DEFAULT, LARGE - 1, at(105));
        assert_eq!(totals.get(TenantId::DEFAULT, at(105)), None);
    }
}
