//! The in-memory state of attempt limits: attempts in progress, the budgets of tenants, and networks that may be
//! proxies. It may be lost at a restart.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use base::{Budget, TenantId, Timestamp};

use crate::domain::attempt_limit::{Counter, Usage};
use crate::storage::attempts::Kind;

/// A network is reported as a possible proxy after this number of different names.
const MANY_NAMES: usize = 64;

/// The maximum number of watched networks.
const MAX_WATCHED: usize = 1024;

#[derive(Debug, Default)]
pub(crate) struct AttemptMemory {
    in_flight: Mutex<HashMap<(TenantId, Counter), u32>>,
    tenants: Mutex<HashMap<(TenantId, &'static str), Timestamp>>,
    networks: Mutex<HashMap<Counter, NamesOfNetwork>>,
}

#[derive(Debug)]
enum NamesOfNetwork {
    Names(HashSet<Counter>),
    Reported,
}

impl AttemptMemory {
    /// Reserves one attempt for each counter until the reservation is dropped. The database is read after this: an
    /// attempt that is not stored yet is in flight, and [`Reservation::before`] counts it.
    pub(crate) fn reserve(self: &Arc<Self>, tenant: TenantId, counters: &[Counter]) -> Reservation {
        let mut in_flight = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reserved: HashMap<Counter, u32> = HashMap::with_capacity(counters.len());
        for counter in counters {
            reserved.entry(*counter).or_insert_with(|| {
                let count = in_flight.entry((tenant, *counter)).or_insert(0);
                *count += 1;
                *count - 1
            });
        }
        Reservation { memory: self.clone(), tenant, reserved }
    }

    fn release(&self, tenant: TenantId, counters: impl Iterator<Item = Counter>) {
        let mut in_flight = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        for counter in counters {
            if let Some(count) = in_flight.get_mut(&(tenant, counter)) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    in_flight.remove(&(tenant, counter));
                }
            }
        }
    }

    pub(super) fn tenant_usage(&self, tenant: TenantId, kind: Kind) -> Usage {
        let tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        Usage { full_at: tenants.get(&(tenant, kind.as_str())).copied(), in_flight: 0 }
    }

    pub(super) fn spend_of_tenant(&self, tenant: TenantId, kind: Kind, budget: Budget, now: Timestamp) {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = tenants.get(&(tenant, kind.as_str())).copied();
        tenants.insert((tenant, kind.as_str()), budget.spend(full_at, now));
    }

    /// Whether the number of names from this network suggests a proxy; `true` once for each network.
    pub(super) fn suggests_a_proxy(&self, network: Counter, name: Counter) -> bool {
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        if networks.len() >= MAX_WATCHED && !networks.contains_key(&network) {
            networks.retain(|_, entry| matches!(entry, NamesOfNetwork::Reported));
            if networks.len() >= MAX_WATCHED {
                return false;
            }
        }
        let entry = networks.entry(network).or_insert_with(|| NamesOfNetwork::Names(HashSet::new()));
        let NamesOfNetwork::Names(names) = entry else { return false };
        names.insert(name);
        let are_many = names.len() >= MANY_NAMES;
        if are_many {
            *entry = NamesOfNetwork::Reported;
        }
        are_many
    }
}

/// Attempts in progress.
#[derive(Debug)]
pub(crate) struct Reservation {
    memory: Arc<AttemptMemory>,
    tenant: TenantId,
    /// The number of attempts that were in flight before this one.
    reserved: HashMap<Counter, u32>,
}

impl Reservation {
    pub(crate) fn before(&self, counter: Counter) -> u32 {
        self.reserved.get(&counter).copied().unwrap_or_default()
    }

    /// Releases the counters that the attempt is not charged to.
    pub(super) fn keep(&mut self, counters: &[Counter]) {
        let (kept, released): (HashMap<_, _>, HashMap<_, _>) =
            std::mem::take(&mut self.reserved).into_iter().partition(|(counter, _)| counters.contains(counter));
        self.reserved = kept;
        self.memory.release(self.tenant, released.into_keys());
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.memory.release(self.tenant, self.reserved.keys().copied());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: TenantId = TenantId::DEFAULT;

    #[test]
    fn attempts_are_in_flight_until_they_are_dropped() {
        let memory = Arc::new(AttemptMemory::default());
        let [a, b] = ["a", "b"].map(Counter::name);
        let first = memory.reserve(TENANT, &[a, b, a]);
        assert_eq!((first.before(a), first.before(b)), (0, 0));
        let mut second = memory.reserve(TENANT, &[a, b]);
        assert_eq!((second.before(a), second.before(b)), (1, 1));
        second.keep(&[a]);
        assert_eq!(memory.reserve(TENANT, &[b]).before(b), 1);
        drop(first);
        assert_eq!(memory.reserve(TENANT, &[a]).before(a), 1);
        assert_eq!(memory.reserve(TenantId::from_i32(2), &[a]).before(a), 0, "another tenant");
        drop(second);
        assert!(memory.in_flight.lock().unwrap().is_empty());
    }

    #[test]
    fn a_network_with_many_names_is_reported_once() {
        let memory = AttemptMemory::default();
        let network = Counter::network("10.0.0.1");
        let reports = (0..1000).filter(|it| memory.suggests_a_proxy(network, Counter::name(&it.to_string()))).count();
        assert_eq!(reports, 1);
        let same =
            (0..1000).filter(|_| memory.suggests_a_proxy(Counter::network("10.0.0.2"), Counter::name("a"))).count();
        assert_eq!(same, 0);
    }
}
