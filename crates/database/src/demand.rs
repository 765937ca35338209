//! On-demand polling: how often a process asks the database what others have changed. It polls at short intervals while the
//! changes are needed and at long ones while it is idle, so that an idle process leaves an idle database.
//!
//! Invariants:
//! - The first need ends the idle interval at once.
//! - No answer is correct only because of these intervals: what was not compared with the database for too long is not used.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

/// How long the changes must not have been needed before the process is idle.
const IDLE_AFTER: Duration = Duration::from_secs(10);

/// The poll interval of an idle process.
pub const IDLE_INTERVAL: Duration = Duration::from_secs(10);

/// Records that the changes are needed. Any number of tasks record it; one polls, by a [`Polling`].
#[derive(Debug, Default)]
pub struct Demand {
    is_needed: AtomicBool,
    is_idle: AtomicBool,
    wake: Notify,
}

impl Demand {
    /// What others have changed is needed. Costs next to nothing unless the process is idle.
    pub fn note(&self) {
        if !self.is_needed.load(Ordering::SeqCst) {
            self.is_needed.store(true, Ordering::SeqCst);
            if self.is_idle.load(Ordering::SeqCst) {
                self.wake.notify_one();
            }
        }
    }

    /// Polls at once, before the present interval ends.
    pub fn poll_now(&self) {
        self.is_needed.store(true, Ordering::SeqCst);
        self.wake.notify_one();
    }

    pub fn is_idle(&self) -> bool {
        self.is_idle.load(Ordering::SeqCst)
    }
}

/// The intervals of the task that polls.
#[derive(Debug)]
pub struct Polling {
    demand: Arc<Demand>,
    interval: Duration,
    needed_at: Instant,
}

impl Polling {
    /// `interval` is the poll interval while the changes are needed, as they are at the beginning.
    pub fn new(demand: Arc<Demand>, interval: Duration) -> Self {
        Self { demand, interval, needed_at: Instant::now() }
    }

    /// Resolves when the next poll is due. May be dropped before.
    pub async fn due(&mut self) {
        let demand = &self.demand;
        demand.is_idle.store(false, Ordering::SeqCst);
        if demand.is_needed.swap(false, Ordering::SeqCst) {
            self.needed_at = Instant::now();
        }
        if self.needed_at.elapsed() < IDLE_AFTER {
            let _ = timeout(self.interval, demand.wake.notified()).await;
            return;
        }
        // In this order, so that a need is either seen here or sends a notification.
        demand.is_idle.store(true, Ordering::SeqCst);
        if !demand.is_needed.load(Ordering::SeqCst) {
            let _ = timeout(IDLE_INTERVAL, demand.wake.notified()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    const INTERVAL: Duration = Duration::from_millis(250);

    fn polling() -> (Arc<Demand>, Polling) {
        let demand = Arc::<Demand>::default();
        (demand.clone(), Polling::new(demand, INTERVAL))
    }

    /// The number of polls in this time.
    async fn polls_in(time: Duration, polling: &mut Polling, demand: Option<&Demand>) -> u32 {
        let until = Instant::now() + time;
        let mut polls = 0;
        while Instant::now() < until {
            if let Some(demand) = demand {
                demand.note();
            }
            polling.due().await;
            polls += 1;
        }
        polls
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_polls_at_short_intervals_while_changes_are_needed_and_at_long_ones_when_idle() {
        let (demand, mut polling) = polling();
        assert_eq!(polls_in(Duration::from_mins(1), &mut polling, Some(&demand)).await, 240);
        assert!(!demand.is_idle());
        assert_eq!(polls_in(IDLE_AFTER, &mut polling, None).await, 40);
        assert_eq!(polls_in(Duration::from_mins(1), &mut polling, None).await, 6);
        assert!(demand.is_idle());
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_need_ends_an_idle_interval() {
        let (demand, mut polling) = polling();
        polls_in(Duration::from_mins(1), &mut polling, None).await;
        let start = Instant::now();
        {
            let mut due = pin!(polling.due());
            assert!(futures_util::poll!(&mut due).is_pending());
            demand.note();
            due.await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        polling.due().await;
        assert_eq!(start.elapsed(), INTERVAL, "the process is not idle any more");
    }

    #[tokio::test(start_paused = true)]
    async fn a_need_between_two_intervals_is_not_missed() {
        let (demand, mut polling) = polling();
        polls_in(Duration::from_mins(1), &mut polling, None).await;
        demand.note();
        let start = Instant::now();
        polling.due().await;
        assert!(start.elapsed() <= INTERVAL);
    }

    #[tokio::test(start_paused = true)]
    async fn poll_now_does_not_wait_for_the_interval() {
        let (demand, mut polling) = polling();
        let start = Instant::now();
        demand.poll_now();
        polling.due().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
