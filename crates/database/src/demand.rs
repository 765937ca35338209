//! When a process asks the database what others have changed: often while somebody needs to know, rarely while nobody does, so
//! that an idle process leaves an idle database.
//!
//! Invariants:
//! - The first need after a rest ends it at once.
//! - Nothing relies on the rhythm for its correctness: what has not heard from the database for too long is not used.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

/// How long nobody must have needed to know before the process rests.
const REST_AFTER: Duration = Duration::from_secs(10);

/// The pause between two questions of a process that rests.
pub const REST: Duration = Duration::from_secs(10);

/// Records that somebody needs to know. Any number of tasks record it; one asks, by a [`Pauses`].
#[derive(Debug, Default)]
pub struct Demand {
    is_needed: AtomicBool,
    is_resting: AtomicBool,
    now: Notify,
}

impl Demand {
    /// What others have changed is needed. Costs next to nothing while the process does not rest.
    pub fn note(&self) {
        if !self.is_needed.load(Ordering::SeqCst) {
            self.is_needed.store(true, Ordering::SeqCst);
            if self.is_resting.load(Ordering::SeqCst) {
                self.now.notify_one();
            }
        }
    }

    /// It is needed at once, without the rest of the present pause.
    pub fn hurry(&self) {
        self.is_needed.store(true, Ordering::SeqCst);
        self.now.notify_one();
    }

    pub fn is_resting(&self) -> bool {
        self.is_resting.load(Ordering::SeqCst)
    }
}

/// The pauses of the task that asks.
#[derive(Debug)]
pub struct Pauses {
    demand: Arc<Demand>,
    interval: Duration,
    needed_at: Instant,
}

impl Pauses {
    /// `interval` is the pause while somebody needs to know. A process begins awake.
    pub fn new(demand: Arc<Demand>, interval: Duration) -> Self {
        Self { demand, interval, needed_at: Instant::now() }
    }

    /// Resolves when the next question is due. May be dropped before.
    pub async fn next(&mut self) {
        let demand = &self.demand;
        demand.is_resting.store(false, Ordering::SeqCst);
        if demand.is_needed.swap(false, Ordering::SeqCst) {
            self.needed_at = Instant::now();
        }
        if self.needed_at.elapsed() < REST_AFTER {
            let _ = timeout(self.interval, demand.now.notified()).await;
            return;
        }
        // In this order, so that a need is either seen here or rings.
        demand.is_resting.store(true, Ordering::SeqCst);
        if !demand.is_needed.load(Ordering::SeqCst) {
            let _ = timeout(REST, demand.now.notified()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    const INTERVAL: Duration = Duration::from_millis(250);

    fn pauses() -> (Arc<Demand>, Pauses) {
        let demand = Arc::<Demand>::default();
        (demand.clone(), Pauses::new(demand, INTERVAL))
    }

    /// The number of questions in this time.
    async fn asked_in(time: Duration, pauses: &mut Pauses, demand: Option<&Demand>) -> u32 {
        let until = Instant::now() + time;
        let mut asked = 0;
        while Instant::now() < until {
            if let Some(demand) = demand {
                demand.note();
            }
            pauses.next().await;
            asked += 1;
        }
        asked
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_asks_in_its_interval_as_long_as_somebody_needs_to_know_and_then_rests() {
        let (demand, mut pauses) = pauses();
        assert_eq!(asked_in(Duration::from_mins(1), &mut pauses, Some(&demand)).await, 240);
        assert!(!demand.is_resting());
        assert_eq!(asked_in(REST_AFTER, &mut pauses, None).await, 40);
        assert_eq!(asked_in(Duration::from_mins(1), &mut pauses, None).await, 6);
        assert!(demand.is_resting());
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_need_ends_a_rest() {
        let (demand, mut pauses) = pauses();
        asked_in(Duration::from_mins(1), &mut pauses, None).await;
        let start = Instant::now();
        {
            let mut pause = pin!(pauses.next());
            assert!(futures_util::poll!(&mut pause).is_pending());
            demand.note();
            pause.await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        pauses.next().await;
        assert_eq!(start.elapsed(), INTERVAL, "it is awake again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_need_between_two_pauses_is_not_missed() {
        let (demand, mut pauses) = pauses();
        asked_in(Duration::from_mins(1), &mut pauses, None).await;
        demand.note();
        let start = Instant::now();
        pauses.next().await;
        assert!(start.elapsed() <= INTERVAL);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hurry_does_not_wait_for_the_interval() {
        let (demand, mut pauses) = pauses();
        let start = Instant::now();
        demand.hurry();
        pauses.next().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
