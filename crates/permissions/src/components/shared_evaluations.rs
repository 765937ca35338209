//! Equal questions that are asked at the same time share one evaluation over the tables.
//!
//! A question joins an evaluation that waits to begin. One that has begun may have read already, so later questions wait for its
//! end and share the next one. Invariants:
//! - An evaluation begins after every question that it answers, and has the time of the latest of them. So no answer lacks what was
//!   committed before its question.
//! - Every question that waits, for an evaluation or for the end of the one before it, carries it on, whichever of them is given up.
//!   Without any it ends.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::Timestamp;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};

/// The most questions that others may join. More are evaluated alone.
const MOST: usize = 10_000;

/// The evaluations of questions with the key `K`, whose answers are `T`.
pub(crate) struct SharedEvaluations<K, T: Clone>(Mutex<State<K, T>>);

type Answer<T> = Shared<BoxFuture<'static, T>>;

struct State<K, T: Clone> {
    /// The last evaluation of each question, until it ends.
    last: HashMap<K, Evaluation<T>>,
    /// How many there were.
    count: u64,
}

struct Evaluation<T: Clone> {
    number: u64,
    has_begun: bool,
    /// The time of the latest question.
    now: Timestamp,
    answer: Option<WeakShared<BoxFuture<'static, T>>>,
}

impl<K, T: Clone> Default for SharedEvaluations<K, T> {
    fn default() -> Self {
        Self(Mutex::new(State { last: HashMap::new(), count: 0 }))
    }
}

impl<K, T> SharedEvaluations<K, T>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// The answer to a question that was asked at `now`. `evaluate` takes the time of the evaluation, and `key` has everything else
    /// that the answer depends on, but what is read.
    pub(crate) fn ask<F: Future<Output = T> + Send + 'static>(
        self: &Arc<Self>,
        key: K,
        now: Timestamp,
        evaluate: impl FnOnce(Timestamp) -> F + Send + 'static,
    ) -> Answer<T> {
        let mut state = self.locked();
        let mut previous = None;
        if let Some(last) = state.last.get_mut(&key) {
            // It is dropped at the end of the next evaluation, or of the last question, and never under the lock.
            let answer = last.answer.as_ref().and_then(WeakShared::upgrade);
            match answer {
                Some(answer) if !last.has_begun => {
                    last.now = last.now.max(now);
                    return answer;
                }
                answer => previous = answer,
            }
        } else if state.last.len() >= MOST {
            return evaluate(now).boxed().shared();
        }
        state.count += 1;
        let number = state.count;
        let listed = Listed { evaluations: self.clone(), key: key.clone(), number, now };
        let answer = async move {
            if let Some(previous) = previous {
                previous.await;
            }
            evaluate(listed.begin()).await
        };
        let answer = answer.boxed().shared();
        state.last.insert(key, Evaluation { number, has_begun: false, now, answer: answer.downgrade() });
        answer
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> u64 {
        self.locked().count
    }
}

impl<K, T: Clone> SharedEvaluations<K, T> {
    fn locked(&self) -> MutexGuard<'_, State<K, T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An evaluation among those that questions may join, until it ends or is given up.
struct Listed<K: Eq + Hash, T: Clone> {
    evaluations: Arc<SharedEvaluations<K, T>>,
    key: K,
    number: u64,
    now: Timestamp,
}

impl<K: Eq + Hash, T: Clone> Listed<K, T> {
    /// From now on no question joins it. Returns its time.
    fn begin(&self) -> Timestamp {
        let mut state = self.evaluations.locked();
        let it = state.last.get_mut(&self.key).filter(|it| it.number == self.number);
        it.map_or(self.now, |it| {
            it.has_begun = true;
            it.now
        })
    }
}

impl<K: Eq + Hash, T: Clone> Drop for Listed<K, T> {
    fn drop(&mut self) {
        let mut state = self.evaluations.locked();
        if state.last.get(&self.key).is_some_and(|it| it.number == self.number) {
            state.last.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicU64, Ordering};

    use futures_util::future::{join_all, pending};
    use futures_util::poll;
    use tokio::sync::Semaphore;

    use super::*;

    type Evaluations = SharedEvaluations<&'static str, (u64, Timestamp)>;

    const NOW: Timestamp = Timestamp::EPOCH;

    fn later(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    /// Evaluations that read a value when they begin, and end when they are let.
    struct World {
        evaluations: Arc<Evaluations>,
        value: Arc<AtomicU64>,
        ends: Arc<Semaphore>,
    }

    impl World {
        fn new() -> Self {
            let (evaluations, value, ends) = (Arc::default(), Arc::default(), Arc::new(Semaphore::new(0)));
            Self { evaluations, value, ends }
        }

        fn ask(&self, key: &'static str, now: Timestamp) -> Answer<(u64, Timestamp)> {
            let (value, ends) = (self.value.clone(), self.ends.clone());
            self.evaluations.ask(key, now, move |now| async move {
                let read = value.load(Ordering::SeqCst);
                ends.acquire().await.unwrap().forget();
                (read, now)
            })
        }

        fn is_empty(&self) -> bool {
            self.evaluations.locked().last.is_empty()
        }
    }

    #[tokio::test]
    async fn equal_questions_share_an_evaluation_that_begins_after_all_of_them() {
        let world = World::new();
        let mut first = world.ask("a", NOW);
        assert!(poll!(&mut first).is_pending());
        // What is written now is not hidden from later questions by the evaluation that has begun.
        world.value.store(1, Ordering::SeqCst);
        let mut others: Vec<_> = (1..=50).map(|seconds| world.ask("a", later(seconds))).collect();
        for other in &mut others {
            assert!(poll!(other).is_pending());
        }
        let mut earlier = world.ask("a", NOW);
        assert!(poll!(&mut earlier).is_pending());
        world.ends.add_permits(2);
        // The first one is not polled meanwhile.
        assert_eq!(earlier.await, (1, later(50)), "the time of the latest question");
        assert_eq!(first.await, (0, NOW));
        assert!(join_all(others).await.into_iter().all(|answer| answer == (1, later(50))));
        assert_eq!((world.evaluations.count(), world.is_empty()), (2, true));
    }

    #[tokio::test]
    async fn different_questions_do_not_share() {
        let world = World::new();
        let (mut one, mut other) = (world.ask("a", NOW), world.ask("b", NOW));
        assert!(poll!(&mut one).is_pending() && poll!(&mut other).is_pending());
        world.ends.add_permits(2);
        one.await;
        other.await;
        assert_eq!((world.evaluations.count(), world.is_empty()), (2, true));
    }

    #[tokio::test]
    async fn a_question_that_is_given_up_leaves_the_evaluation_to_the_others() {
        let world = World::new();
        // Once as the one that runs the evaluation, and once as one that waits for it to begin.
        let mut running = world.ask("a", NOW);
        assert!(poll!(&mut running).is_pending());
        let mut waiting: Vec<_> = (0..3).map(|_| world.ask("a", NOW)).collect();
        for it in &mut waiting {
            assert!(poll!(it).is_pending());
        }
        drop(waiting.remove(0));
        drop(running);
        world.ends.add_permits(2);
        for answer in waiting {
            assert_eq!(answer.await, (0, NOW));
        }
        assert_eq!((world.evaluations.count(), world.is_empty()), (2, true));
    }

    #[tokio::test]
    async fn an_evaluation_that_nobody_waits_for_ends() {
        struct Ended(Arc<AtomicU64>);
        impl Drop for Ended {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        let (evaluations, ended) = (Arc::<Evaluations>::default(), Arc::new(AtomicU64::new(0)));
        {
            let guard = Ended(ended.clone());
            let mut only = pin!(evaluations.ask("a", NOW, move |_| async move {
                let _guard = guard;
                pending().await
            }));
            assert!(poll!(&mut only).is_pending());
            assert_eq!(ended.load(Ordering::SeqCst), 0);
        }
        assert_eq!(ended.load(Ordering::SeqCst), 1);
        assert!(evaluations.locked().last.is_empty());
    }

    #[tokio::test]
    async fn questions_beyond_the_bound_are_evaluated_alone() {
        let evaluations = Arc::new(SharedEvaluations::<usize, usize>::default());
        let waiting: Vec<_> = (0..MOST).map(|key| evaluations.ask(key, NOW, |_| pending())).collect();
        assert_eq!(evaluations.ask(MOST, NOW, |_| async { 7 }).await, 7);
        assert_eq!(evaluations.locked().last.len(), MOST);
        drop(waiting);
        assert_eq!(evaluations.locked().last.len(), 0);
    }
}
