//! Bounds on what clients keep open: on that of all clients together, and on that of each.
//!
//! A client is a network, as for the limits of attempts. Clients without an address have the common bound alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::Context;

/// One client has at most one of so many parts: a half, because it may be the one backend of an application.
const PARTS: usize = 2;

pub(crate) struct Slots {
    most: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    by_all: usize,
    /// Those of each network that has some.
    by_network: HashMap<String, usize>,
}

/// Why there is no slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSlot {
    #[error("all clients together have {0}, as many as they can have at one node; end one, or ask another node")]
    OfAll(usize),
    #[error("this client has {0}, as many as one client can have at one node; end one, or ask another node")]
    OfClient(usize),
}

/// Counts until it is dropped.
pub(crate) struct Slot {
    slots: Arc<Slots>,
    network: Option<String>,
}

impl Slots {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::default() })
    }

    /// A slot for the client of a request.
    pub(crate) fn take(self: &Arc<Self>, cx: &Context) -> Result<Slot, NoSlot> {
        let network = cx.client_address.map(|_| cx.client_network());
        let mut taken = self.taken();
        if taken.by_all >= self.most {
            return Err(NoSlot::OfAll(self.most));
        }
        if let Some(network) = &network {
            let most = self.most / PARTS;
            let by_network = taken.by_network.entry(network.clone()).or_default();
            if *by_network >= most {
                return Err(NoSlot::OfClient(most));
            }
            *by_network += 1;
        }
        taken.by_all += 1;
        drop(taken);
        Ok(Slot { slots: self.clone(), network })
    }

    #[cfg(test)]
    pub(crate) fn left(&self) -> usize {
        self.most - self.taken().by_all
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.taken();
        taken.by_all -= 1;
        if let Some(network) = &self.network
            && let Some(by_network) = taken.by_network.get_mut(network)
        {
            *by_network -= 1;
            if *by_network == 0 {
                taken.by_network.remove(network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use base::{RequestId, TenantId, Timestamp, uuid::Uuid};

    use super::*;

    fn cx(address: Option<&str>) -> Context {
        let cx = Context::for_background(Timestamp::EPOCH, TenantId::DEFAULT, RequestId(Uuid::nil()));
        Context { client_address: address.map(|it| it.parse().unwrap()), ..cx }
    }

    #[test]
    fn one_client_has_a_half_of_the_slots_and_gives_them_back() {
        let slots = Slots::new(6);
        let take = |address| slots.take(&cx(address));
        let _network = ["2001:db8::1", "2001:db8::2", "2001:db8::3"].map(|address| take(Some(address)).unwrap());
        assert_eq!(take(Some("2001:db8::4")).err(), Some(NoSlot::OfClient(3)));
        let mut other = vec![take(Some("192.0.2.1")).unwrap(), take(Some("192.0.2.1")).unwrap()];
        let unknown = take(None).unwrap();
        assert_eq!((take(None).err(), take(Some("192.0.2.9")).err()), (Some(NoSlot::OfAll(6)), Some(NoSlot::OfAll(6))));
        drop(unknown);
        other.pop();
        other.extend([take(Some("192.0.2.1")).unwrap(), take(Some("192.0.2.1")).unwrap()]);
        assert_eq!(slots.left(), 0);
        drop(other);
        assert_eq!((slots.left(), slots.taken().by_network.len()), (3, 1));
    }
}
