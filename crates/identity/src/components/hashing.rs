//! The password hashing pool: a fixed number of threads, a fixed amount of memory, and a queue with a deadline. A flood of
//! sign-ins slows down sign-ins, but not the rest of the service.
//!
//! A verification takes at least as long as one with the configured algorithm, even for an imported hash that is cheaper:
//! timing does not reveal whether an account exists. The cost of a more expensive hash is limited when it is imported.

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base::{Rng, Secret};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::password::prepare;
use crate::domain::password_hash::{self, Argon2Parameters, PasswordHash, WorkMemory};

/// The algorithm and parameters of new hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashAlgorithm {
    Argon2id { parameters: Argon2Parameters, salt_length: usize },
    Bcrypt { cost: u32 },
}

/// The limits of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashingLimits {
    pub threads: usize,
    pub memory_kib: u32,
    /// The maximum time that a request waits in the queue.
    pub queue_deadline: Duration,
    /// The maximum number of waiting requests.
    pub queue_length: usize,
}

impl HashingLimits {
    /// One thread per core, within this memory.
    pub fn for_this_machine(memory_kib: u32) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self { threads, memory_kib, queue_deadline: Duration::from_secs(10), queue_length: 1024 }
    }
}

/// The default parallelism of Argon2: two lanes per core. More lanes than the format of imported hashes allows would make
/// our own hashes unreadable.
pub(crate) fn default_lanes() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    u32::try_from(2 * cores).unwrap_or(16).min(16)
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// bcrypt uses at most 72 bytes.
    #[error("the password has {actual} bytes, of which {max} can be hashed")]
    TooLong { max: usize, actual: usize },
    #[error("too many passwords are waiting to be hashed")]
    Overloaded { retry_after: Duration },
    #[error("the password could not be hashed")]
    Failed,
}

/// A cheap handle to the pool.
#[derive(Clone)]
pub struct Hasher(Arc<Pool>);

struct Pool {
    algorithm: HashAlgorithm,
    limits: HashingLimits,
    rng: Rng,
    waiting: Arc<Semaphore>,
    threads: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    /// Working memory of idle threads.
    idle: Mutex<Vec<WorkMemory>>,
    /// The duration of a hash with the configured algorithm, in nanoseconds; 0 until one was computed.
    own_nanoseconds: AtomicU64,
}

const BCRYPT_MAX_PASSWORD: usize = 72;

impl Hasher {
    pub fn new(algorithm: HashAlgorithm, limits: HashingLimits, rng: Rng) -> Self {
        let own = match algorithm {
            HashAlgorithm::Argon2id { parameters, .. } => parameters.memory_kib,
            HashAlgorithm::Bcrypt { .. } => 8,
        };
        // The pool must be able to create its own hashes, even with a lower memory limit.
        let limits = HashingLimits { memory_kib: limits.memory_kib.max(own), threads: limits.threads.max(1), ..limits };
        let permits = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        Self(Arc::new(Pool {
            algorithm,
            limits,
            rng,
            waiting: permits(limits.queue_length.max(limits.threads)),
            threads: permits(limits.threads),
            memory: permits(usize::try_from(limits.memory_kib).unwrap_or(usize::MAX)),
            idle: Mutex::new(Vec::new()),
            own_nanoseconds: AtomicU64::new(0),
        }))
    }

    /// Hashes a new password in its prepared form.
    pub async fn hash(&self, password: &Secret<String>) -> Result<String, HashError> {
        let password = prepare(password);
        let actual = password.expose().len();
        if matches!(self.0.algorithm, HashAlgorithm::Bcrypt { .. }) && actual > BCRYPT_MAX_PASSWORD {
            return Err(HashError::TooLong { max: BCRYPT_MAX_PASSWORD, actual });
        }
        self.0.clone().hash(password).await?.ok_or(HashError::Failed)
    }

    /// Whether `hash` belongs to `password`. The hash may be older than the prepared form, or imported: where the two forms
    /// differ, the password as entered is tried as well.
    pub async fn verify(&self, password: &Secret<String>, hash: &str) -> Result<bool, HashError> {
        let prepared = prepare(password);
        if self.verify_exactly(&prepared, hash).await? {
            return Ok(true);
        }
        Ok(prepared.expose() != password.expose() && self.verify_exactly(password, hash).await?)
    }

    /// A stored text that is not a hash fails, after the usual time.
    async fn verify_exactly(&self, password: &Secret<String>, hash: &str) -> Result<bool, HashError> {
        let Ok(hash) = PasswordHash::parse(hash) else {
            self.hash_and_discard(password).await?;
            return Ok(false);
        };
        let password = password.clone();
        let pool = self.0.clone();
        let kib = hash.memory_kib().max(pool.own_memory_kib());
        let work = move |memory: &mut WorkMemory| {
            let started = Instant::now();
            let matches = hash.verify(password.expose().as_bytes(), memory);
            pool.pad(started.elapsed(), memory);
            matches
        };
        self.0.clone().run(kib, work).await
    }

    /// Takes the time of a failed verification, for an unknown identifier, so that timing does not reveal whether the
    /// account exists.
    pub async fn verify_unknown(&self, password: &Secret<String>) -> Result<(), HashError> {
        let prepared = prepare(password);
        self.hash_and_discard(&prepared).await?;
        if prepared.expose() == password.expose() { Ok(()) } else { self.hash_and_discard(password).await }
    }

    async fn hash_and_discard(&self, password: &Secret<String>) -> Result<(), HashError> {
        let mut text = password.expose().replace('\0', "");
        let mut end = text.len().min(BCRYPT_MAX_PASSWORD);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        self.0.clone().hash(Secret::new(text)).await.map(drop)
    }

    /// Whether a hash uses the configured algorithm and is at least as costly. If not, the next sign-in replaces it.
    pub fn is_current(&self, hash: &str) -> bool {
        let Ok(hash) = PasswordHash::parse(hash) else { return false };
        match self.0.algorithm {
            HashAlgorithm::Bcrypt { cost } => hash.bcrypt_cost().is_some_and(|actual| actual >= cost),
            HashAlgorithm::Argon2id { parameters, .. } => hash.argon2id_parameters().is_some_and(|actual| {
                actual.memory_kib >= parameters.memory_kib
                    && actual.iterations >= parameters.iterations
                    && actual.key_length >= parameters.key_length
            }),
        }
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hasher").field("algorithm", &self.0.algorithm).finish_non_exhaustive()
    }
}

/// The entire configured work. A share of it is a number up to this.
const WHOLE: u64 = 1 << 16;

/// The costs of bcrypt hashes that together take `share` of one with `cost`. Each increment of the cost doubles the work.
fn bcrypt_costs(cost: u32, share: u64) -> Vec<u32> {
    const LEAST: u32 = 4;
    let mut left = share;
    let mut costs = Vec::new();
    for smaller in (LEAST..=cost).rev() {
        let part = WHOLE.checked_shr(cost - smaller).unwrap_or(0).max(1);
        if left >= part {
            left -= part;
            costs.push(smaller);
        }
    }
    costs
}

/// The share of the configured work that remains after `spent`; `own` is the duration of the entire work.
fn share_left(own: Duration, spent: Duration) -> u64 {
    let (own, left) = (own.as_nanos(), own.saturating_sub(spent).as_nanos());
    // No duration is known before the first hash: the entire work remains.
    (left * u128::from(WHOLE)).checked_div(own).map_or(WHOLE, |share| u64::try_from(share).unwrap_or(WHOLE))
}

impl Pool {
    /// Works for the remaining time of a hash with the configured algorithm.
    fn pad(&self, spent: Duration, memory: &mut WorkMemory) {
        const PASSWORD: &[u8] = b"padding";
        let own = Duration::from_nanos(self.own_nanoseconds.load(Ordering::Relaxed));
        let share = share_left(own, spent);
        match self.algorithm {
            HashAlgorithm::Bcrypt { cost } => {
                for cost in bcrypt_costs(cost, share) {
                    std::hint::black_box(password_hash::hash_bcrypt(PASSWORD, [0; 16], cost));
                }
            }
            HashAlgorithm::Argon2id { parameters, salt_length } => {
                let memory_kib = u64::from(parameters.memory_kib) * share / WHOLE;
                let memory_kib = u32::try_from(memory_kib).unwrap_or(parameters.memory_kib);
                // Argon2 needs at least 8 KiB per lane (RFC 9106 section 3.1).
                if memory_kib >= 8 * parameters.parallelism {
                    let parameters = Argon2Parameters { memory_kib, ..parameters };
                    let salt = vec![0; salt_length];
                    std::hint::black_box(password_hash::hash_argon2id(PASSWORD, &salt, parameters, memory));
                }
            }
        }
    }

    /// Records the duration of a hash with the configured algorithm, as a moving average.
    fn record_duration(&self, spent: Duration) {
        let spent = u64::try_from(spent.as_nanos()).unwrap_or(u64::MAX);
        let before = self.own_nanoseconds.load(Ordering::Relaxed);
        let average = if before == 0 { spent } else { before - before / 8 + spent / 8 };
        self.own_nanoseconds.store(average, Ordering::Relaxed);
    }

    async fn hash(self: Arc<Self>, password: Secret<String>) -> Result<Option<String>, HashError> {
        match self.algorithm {
            HashAlgorithm::Bcrypt { cost } => {
                let salt = self.rng.bytes();
                let pool = self.clone();
                let work = move |_: &mut WorkMemory| {
                    let started = Instant::now();
                    let hash = password_hash::hash_bcrypt(password.expose().as_bytes(), salt, cost);
                    pool.record_duration(started.elapsed());
                    hash
                };
                self.run(8, work).await
            }
            HashAlgorithm::Argon2id { parameters, salt_length } => {
                let mut salt = vec![0; salt_length];
                self.rng.fill(&mut salt);
                let pool = self.clone();
                let work = move |memory: &mut WorkMemory| {
                    let started = Instant::now();
                    let hash = password_hash::hash_argon2id(password.expose().as_bytes(), &salt, parameters, memory);
                    pool.record_duration(started.elapsed());
                    hash
                };
                self.run(parameters.memory_kib, work).await
            }
        }
    }

    async fn run<T: Send + 'static>(
        self: Arc<Self>,
        kib: u32,
        work: impl FnOnce(&mut WorkMemory) -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let overloaded = || HashError::Overloaded { retry_after: self.limits.queue_deadline };
        let place = self.waiting.clone().try_acquire_owned().map_err(|_| overloaded())?;
        let permits = tokio::time::timeout(self.limits.queue_deadline, self.admit(kib))
            .await
            .map_err(|_| overloaded())?
            .ok_or_else(overloaded)?;
        let pool = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            let mut memory = pool.idle.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
            let result = work(&mut memory);
            memory.shrink_to_kib(pool.own_memory_kib());
            pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
            drop((permits, place));
            result
        });
        task.await.map_err(|_| HashError::Failed)
    }

    /// Memory first: a request that holds a thread must be able to continue.
    async fn admit(&self, kib: u32) -> Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)> {
        let kib = kib.clamp(1, self.limits.memory_kib);
        let memory = self.memory.clone().acquire_many_owned(kib).await.ok()?;
        let thread = self.threads.clone().acquire_owned().await.ok()?;
        Some((memory, thread))
    }

    const fn own_memory_kib(&self) -> u32 {
        match self.algorithm {
            HashAlgorithm::Argon2id { parameters, .. } => parameters.memory_kib,
            HashAlgorithm::Bcrypt { .. } => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: HashAlgorithm = HashAlgorithm::Argon2id {
        parameters: Argon2Parameters { memory_kib: 64, iterations: 1, parallelism: 1, key_length: 32 },
        salt_length: 16,
    };

    fn hasher(algorithm: HashAlgorithm) -> Hasher {
        Hasher::new(algorithm, HashingLimits::for_this_machine(1024), Rng::seeded(1))
    }

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_is_verified_and_another_is_rejected() {
        for algorithm in [CHEAP, HashAlgorithm::Bcrypt { cost: 4 }] {
            let hasher = hasher(algorithm);
            let hash = hasher.hash(&secret("secret")).await.unwrap();
            assert_ne!(hash, hasher.hash(&secret("secret")).await.unwrap(), "each hash has its own salt");
            assert_eq!(hasher.verify(&secret("secret"), &hash).await, Ok(true));
            assert_eq!(hasher.verify(&secret("Secret"), &hash).await, Ok(false));
            assert_eq!(hasher.verify(&secret("secret"), "nonsense").await, Ok(false));
            assert_eq!(hasher.verify_unknown(&secret(&"ä".repeat(100))).await, Ok(()));
            assert!(hasher.is_current(&hash));
        }
    }

    #[tokio::test]
    async fn a_password_is_verified_in_another_encoding() {
        let (composed, decomposed) = ("pässwörd\u{a0}x", "pa\u{308}sswo\u{308}rd x");
        for algorithm in [CHEAP, HashAlgorithm::Bcrypt { cost: 4 }] {
            let hasher = hasher(algorithm);
            let hash = hasher.hash(&secret(composed)).await.unwrap();
            assert_eq!(hasher.verify(&secret(decomposed), &hash).await, Ok(true));
            assert_eq!(hasher.verify(&secret(composed), &hash).await, Ok(true));
            // A hash that predates the prepared form, or from another system.
            let raw = hasher.0.clone().hash(secret(decomposed)).await.unwrap().unwrap();
            assert_eq!(hasher.verify(&secret(decomposed), &raw).await, Ok(true));
            assert_eq!(hasher.verify(&secret(composed), &raw).await, Ok(false));
            assert_eq!(hasher.verify_unknown(&secret(decomposed)).await, Ok(()));
        }
    }

    #[tokio::test]
    async fn weaker_and_foreign_hashes_are_not_current() {
        let weak = hasher(HashAlgorithm::Bcrypt { cost: 4 }).hash(&secret("secret")).await.unwrap();
        assert!(!hasher(HashAlgorithm::Bcrypt { cost: 5 }).is_current(&weak));
        assert!(!hasher(CHEAP).is_current(&weak));
        let long = secret(&"a".repeat(73));
        let refused = hasher(HashAlgorithm::Bcrypt { cost: 4 }).hash(&long).await;
        assert_eq!(refused, Err(HashError::TooLong { max: 72, actual: 73 }));
    }

    #[test]
    fn a_cheaper_hash_is_padded_with_the_missing_work() {
        let ms = Duration::from_millis;
        assert_eq!(share_left(ms(400), ms(100)), WHOLE * 3 / 4);
        assert_eq!(share_left(ms(0), ms(100)), WHOLE, "no duration is known yet: the entire work remains");
        assert_eq!(share_left(ms(400), ms(2000)), 0);
        assert_eq!(bcrypt_costs(12, WHOLE), [12]);
        assert_eq!(bcrypt_costs(12, WHOLE * 3 / 4), [11, 10]);
        for share in [WHOLE - 1, WHOLE / 3, 300, 0] {
            let work: u64 = bcrypt_costs(12, share).iter().map(|cost| WHOLE >> (12 - cost)).sum();
            assert!(share - work < WHOLE / 256, "{share}: {work}");
        }
    }

    #[tokio::test]
    async fn a_cheap_imported_hash_still_verifies_its_password() {
        for algorithm in [CHEAP, HashAlgorithm::Bcrypt { cost: 5 }] {
            let hasher = hasher(algorithm);
            for _ in 0..2 {
                let imported = "{SSHA}WQM65oC848+N4H/ylCvrEOP3Jp0wMTIzNDU2Nzg5YWJjZGVm";
                assert_eq!(hasher.verify(&secret("correct horse ä"), imported).await, Ok(true));
                assert_eq!(hasher.verify(&secret("wrong"), imported).await, Ok(false));
                hasher.hash(&secret("x")).await.unwrap();
                assert!(hasher.0.own_nanoseconds.load(Ordering::Relaxed) > 0);
            }
        }
    }

    #[tokio::test]
    async fn a_full_queue_rejects_requests() {
        let limits =
            HashingLimits { threads: 1, memory_kib: 64, queue_deadline: Duration::from_millis(20), queue_length: 2 };
        let hasher = Hasher::new(CHEAP, limits, Rng::seeded(1));
        let busy = hasher.0.threads.clone().acquire_owned().await.unwrap();
        let overloaded = Err(HashError::Overloaded { retry_after: limits.queue_deadline });
        assert_eq!(hasher.hash(&secret("x")).await, overloaded, "the deadline passed");
        let queue = hasher.0.waiting.clone().acquire_many_owned(2).await.unwrap();
        assert_eq!(hasher.hash(&secret("x")).await, overloaded, "the queue is full");
        drop((busy, queue));
        assert!(hasher.hash(&secret("x")).await.is_ok());
    }
}
