//! Bounds on what clients use at one time: on that of all clients together, and on that of each.
//!
//! A client is a network, as for the limits of attempts. It has at most as much as nobody has then: a half when it is alone, because
//! it may be the one backend of an application, a third beside another, and so on. So some clients cannot take everything from the
//! others. Clients without an address have the common bound alone.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Context;

/// A cheap clone of one bound.
#[derive(Clone, Debug)]
pub struct Shares(Arc<Bound>);

#[derive(Debug)]
struct Bound {
    most: usize,
    used: Mutex<Used>,
}

#[derive(Debug, Default)]
struct Used {
    by_all: usize,
    /// That of each network that uses something.
    by_network: HashMap<IpAddr, usize>,
}

/// Whose bound is reached, and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoShare {
    #[error("all clients together have {0}, as many as they can have at one node; end one, or ask another node")]
    OfAll(usize),
    #[error("this client has {0}, as many as one client can have at one node now; end one, or ask another node")]
    OfClient(usize),
}

/// What one request uses, until it is dropped.
#[derive(Debug)]
pub struct Share {
    bound: Arc<Bound>,
    network: Option<IpAddr>,
    amount: usize,
}

impl Shares {
    pub fn of(most: usize) -> Self {
        Self(Arc::new(Bound { most, used: Mutex::default() }))
    }

    /// A share of one for the client of a request.
    pub fn take(&self, cx: &Context) -> Result<Share, NoShare> {
        let mut share = self.begin(cx);
        share.raise(1)?;
        Ok(share)
    }

    /// A share of nothing for the client of a request.
    pub fn begin(&self, cx: &Context) -> Share {
        Share { bound: self.0.clone(), network: cx.client_network_address(), amount: 0 }
    }

    /// What nobody uses.
    pub fn left(&self) -> usize {
        self.0.most - self.0.used().by_all
    }
}

impl Share {
    /// Raises the share to this amount. One that cannot be raised stays as it is.
    pub fn raise(&mut self, amount: usize) -> Result<(), NoShare> {
        let Some(more) = amount.checked_sub(self.amount).filter(|more| *more > 0) else { return Ok(()) };
        let most = self.bound.most;
        let mut used = self.bound.used();
        let Some(left) = (most - used.by_all).checked_sub(more) else { return Err(NoShare::OfAll(most)) };
        if let Some(network) = self.network {
            let by_network = used.by_network.get(&network).copied().unwrap_or_default();
            if by_network + more > left {
                return Err(NoShare::OfClient(by_network));
            }
            used.by_network.insert(network, by_network + more);
        }
        used.by_all += more;
        self.amount = amount;
        Ok(())
    }
}

impl Bound {
    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.amount == 0 {
            return;
        }
        let mut used = self.bound.used();
        used.by_all -= self.amount;
        if let Some(network) = self.network
            && let Some(by_network) = used.by_network.get_mut(&network)
        {
            *by_network -= self.amount;
            if *by_network == 0 {
                used.by_network.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RequestId, TenantId, Timestamp, uuid::Uuid};

    fn cx(address: Option<&str>) -> Context {
        let cx = Context::for_background(Timestamp::EPOCH, TenantId::DEFAULT, RequestId(Uuid::nil()));
        Context { client_address: address.map(|it| it.parse().unwrap()), ..cx }
    }

    #[test]
    fn one_client_has_a_half_and_gives_it_back() {
        let shares = Shares::of(6);
        let take = |address| shares.take(&cx(address));
        let _network = ["2001:db8::1", "2001:db8::2", "2001:db8::3"].map(|address| take(Some(address)).unwrap());
        assert_eq!(take(Some("2001:db8::4")).err(), Some(NoShare::OfClient(3)));
        let other = take(Some("192.0.2.1")).unwrap();
        assert_eq!(
            take(Some("192.0.2.1")).err(),
            Some(NoShare::OfClient(1)),
            "two are left, and it would have two of three"
        );
        let unknown = [take(None).unwrap(), take(None).unwrap()];
        assert_eq!(
            (take(None).err(), take(Some("192.0.2.9")).err()),
            (Some(NoShare::OfAll(6)), Some(NoShare::OfAll(6)))
        );
        drop((unknown, other));
        assert_eq!((shares.left(), shares.0.used().by_network.len()), (3, 1));
    }

    #[test]
    fn clients_that_take_what_they_can_leave_something_to_the_next() {
        let shares = Shares::of(1_000);
        let mut taken = Vec::new();
        let used = (1..=6).map(|client| {
            let before = shares.left();
            taken.extend(std::iter::from_fn(|| shares.take(&cx(Some(&format!("192.0.2.{client}")))).ok()));
            before - shares.left()
        });
        assert_eq!(used.collect::<Vec<_>>(), [500, 250, 125, 62, 31, 16]);
        assert_eq!(shares.left(), 16);
    }

    #[test]
    fn a_share_grows_by_what_is_missing() {
        let shares = Shares::of(10);
        let mut share = shares.begin(&cx(Some("192.0.2.1")));
        assert_eq!((shares.left(), shares.0.used().by_network.len()), (10, 0));
        for amount in [1, 4, 4, 2, 5] {
            share.raise(amount).unwrap();
        }
        assert_eq!(shares.left(), 5);
        assert_eq!(share.raise(6), Err(NoShare::OfClient(5)));
        assert_eq!(shares.left(), 5, "nothing is lost");
        let mut other = shares.begin(&cx(Some("192.0.2.2")));
        other.raise(2).unwrap();
        assert_eq!((other.raise(3), other.raise(6)), (Err(NoShare::OfClient(2)), Err(NoShare::OfAll(10))));
        drop(share);
        assert_eq!(shares.left(), 8);
        drop(other);
        assert_eq!((shares.left(), shares.0.used().by_network.len()), (10, 0));
    }

    #[test]
    fn an_amount_beyond_every_bound_is_refused() {
        let shares = Shares::of(10);
        assert_eq!(shares.begin(&cx(None)).raise(usize::MAX), Err(NoShare::OfAll(10)));
    }
}
