//! Password hashing as a pool: a fixed number of threads, a fixed amount of memory, and a queue that nobody waits in
//! for longer than a deadline. A flood of sign-ins slows sign-in down; it does not take the service with it.

use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::{Rng, Secret};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::password_hash::{self, Argon2Parameters, PasswordHash, WorkMemory};

/// How a new hash is made.
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
    /// The longest time that a request waits for its turn.
    pub queue_deadline: Duration,
    /// How many may wait.
    pub queue_length: usize,
}

impl HashingLimits {
    /// One thread for each core, within this memory.
    pub fn for_this_machine(memory_kib: u32) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self { threads, memory_kib, queue_deadline: Duration::from_secs(10), queue_length: 1024 }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// bcrypt reads no more than 72 bytes.
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
    /// Work memory of threads that are idle now.
    idle: Mutex<Vec<WorkMemory>>,
}

const BCRYPT_MAX_PASSWORD: usize = 72;

impl Hasher {
    pub fn new(algorithm: HashAlgorithm, limits: HashingLimits, rng: Rng) -> Self {
        let own = match algorithm {
            HashAlgorithm::Argon2id { parameters, .. } => parameters.memory_kib,
            HashAlgorithm::Bcrypt { .. } => 8,
        };
        // The pool must be able to make its own hashes, whatever the memory that it was given.
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
        }))
    }

    /// Hashes a password that is to be stored.
    pub async fn hash(&self, password: &Secret<String>) -> Result<String, HashError> {
        let actual = password.expose().len();
        if matches!(self.0.algorithm, HashAlgorithm::Bcrypt { .. }) && actual > BCRYPT_MAX_PASSWORD {
            return Err(HashError::TooLong { max: BCRYPT_MAX_PASSWORD, actual });
        }
        self.0.clone().hash(password.clone()).await?.ok_or(HashError::Failed)
    }

    /// Whether `hash` belongs to `password`. A stored text that is no hash belongs to none, after the usual time.
    pub async fn verify(&self, password: &Secret<String>, hash: &str) -> Result<bool, HashError> {
        let Ok(hash) = PasswordHash::parse(hash) else {
            self.verify_nothing(password).await?;
            return Ok(false);
        };
        let password = password.clone();
        let kib = hash.memory_kib();
        self.0.clone().run(kib, move |memory| hash.verify(password.expose().as_bytes(), memory)).await
    }

    /// Takes the time of a verification and finds nothing: for a name that nobody has, so that a stop-watch does not
    /// tell who has an account.
    pub async fn verify_nothing(&self, password: &Secret<String>) -> Result<(), HashError> {
        let mut text = password.expose().replace('\0', "");
        let mut end = text.len().min(BCRYPT_MAX_PASSWORD);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        self.0.clone().hash(Secret::new(text)).await.map(drop)
    }

    /// Whether a hash is of the configured algorithm and at least as costly: if not, the next sign-in replaces it.
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

impl Pool {
    async fn hash(self: Arc<Self>, password: Secret<String>) -> Result<Option<String>, HashError> {
        match self.algorithm {
            HashAlgorithm::Bcrypt { cost } => {
                let salt = self.rng.bytes();
                let work =
                    move |_: &mut WorkMemory| password_hash::hash_bcrypt(password.expose().as_bytes(), salt, cost);
                self.run(8, work).await
            }
            HashAlgorithm::Argon2id { parameters, salt_length } => {
                let mut salt = vec![0; salt_length];
                self.rng.fill(&mut salt);
                let work = move |memory: &mut WorkMemory| {
                    password_hash::hash_argon2id(password.expose().as_bytes(), &salt, parameters, memory)
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

    /// Memory first: whoever holds a thread must be able to go on.
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
    async fn a_password_is_known_again_and_another_is_not() {
        for algorithm in [CHEAP, HashAlgorithm::Bcrypt { cost: 4 }] {
            let hasher = hasher(algorithm);
            let hash = hasher.hash(&secret("secret")).await.unwrap();
            assert_ne!(hash, hasher.hash(&secret("secret")).await.unwrap(), "each hash has its own salt");
            assert_eq!(hasher.verify(&secret("secret"), &hash).await, Ok(true));
            assert_eq!(hasher.verify(&secret("Secret"), &hash).await, Ok(false));
            assert_eq!(hasher.verify(&secret("secret"), "nonsense").await, Ok(false));
            assert_eq!(hasher.verify_nothing(&secret(&"ä".repeat(100))).await, Ok(()));
            assert!(hasher.is_current(&hash));
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

    #[tokio::test]
    async fn who_finds_the_queue_full_is_sent_away() {
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
