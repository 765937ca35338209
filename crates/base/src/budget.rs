//! A rate limit: a burst, and a refill time after which one more is allowed. This is the generic cell rate algorithm
//! (ITU-T I.371); its whole state is the time at which the budget is full again.

use std::time::Duration;

use crate::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How many are allowed at once; with 0 none is allowed.
    pub burst: u32,
    /// The time after which one more is allowed.
    pub refill: Duration,
}

impl Budget {
    pub const fn new(burst: u32, refill: Duration) -> Self {
        Self { burst, refill }
    }

    /// Whether one more is allowed in addition to the `in_flight` ones; if not, the time to wait.
    pub fn admit(self, full_at: Option<Timestamp>, in_flight: u32, now: Timestamp) -> Result<(), Duration> {
        let spent = full_at.map_or(Duration::ZERO, |full_at| full_at.since(now));
        let wanted = self.refill.saturating_mul(in_flight.saturating_add(1)).saturating_add(spent);
        match wanted.checked_sub(self.whole()) {
            _ if self.burst == 0 => Err(self.refill),
            None | Some(Duration::ZERO) => Ok(()),
            Some(wait) => Err(wait),
        }
    }

    /// The time when the budget is full again after one more. It is at most one whole budget ahead, so that the next one is
    /// never more than [`Budget::refill`] away.
    #[must_use]
    pub fn spend(self, full_at: Option<Timestamp>, now: Timestamp) -> Timestamp {
        let since = full_at.map_or(now, |full_at| full_at.max(now));
        since.plus(self.refill).min(now.plus(self.whole()))
    }

    /// The time in which an empty budget is refilled.
    pub fn whole(self) -> Duration {
        self.refill.saturating_mul(self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Budget = Budget::new(3, Duration::from_mins(1));

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_000 + seconds)
    }

    #[test]
    fn a_burst_is_allowed_and_one_comes_back_after_each_refill() {
        let mut full_at = None;
        for _ in 0..3 {
            assert_eq!(BUDGET.admit(full_at, 0, at(0)), Ok(()));
            full_at = Some(BUDGET.spend(full_at, at(0)));
        }
        assert_eq!(BUDGET.admit(full_at, 0, at(0)), Err(Duration::from_mins(1)));
        assert_eq!(BUDGET.admit(full_at, 0, at(59)), Err(Duration::from_secs(1)));
        assert_eq!(BUDGET.admit(full_at, 0, at(60)), Ok(()));
        assert_eq!(BUDGET.admit(full_at, 1, at(60)), Err(Duration::from_mins(1)));
        assert_eq!(BUDGET.admit(full_at, 2, at(180)), Ok(()), "full again");
    }

    #[test]
    fn attempts_in_flight_count_against_the_budget() {
        assert_eq!(BUDGET.admit(None, 2, at(0)), Ok(()));
        assert_eq!(BUDGET.admit(None, 3, at(0)), Err(Duration::from_mins(1)));
        assert!(BUDGET.admit(None, u32::MAX, at(0)).is_err());
    }

    #[test]
    fn a_wait_is_never_longer_than_one_refill() {
        let mut full_at = None;
        for _ in 0..100 {
            full_at = Some(BUDGET.spend(full_at, at(0)));
        }
        assert_eq!(BUDGET.admit(full_at, 0, at(0)), Err(Duration::from_mins(1)));
    }

    #[test]
    fn an_empty_budget_allows_nothing() {
        let none = Budget::new(0, Duration::from_secs(5));
        assert_eq!(none.admit(None, 0, at(0)), Err(Duration::from_secs(5)));
    }
}
