//! The source of randomness. It is built once in `server` and passed down, so that tests are repeatable.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng};
use uuid::Uuid;

/// A source of unpredictable bytes.
pub trait RandomSource: Send + Sync + 'static {
    fn fill(&self, bytes: &mut [u8]);
}

/// A cheap handle to the random source of this process.
#[derive(Clone)]
pub struct Rng(Arc<dyn RandomSource>);

impl Rng {
    /// The operating system's random source.
    pub fn system() -> Self {
        Self(Arc::new(SystemRandom))
    }

    /// A repeatable stream for tests: the same seed gives the same values in the same order.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Seeded(Mutex::new(ChaCha20Rng::seed_from_u64(seed)))))
    }

    pub fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A version 4 UUID (RFC 9562 section 5.4).
    pub fn uuid(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    /// `N` random bytes as unpadded base64url.
    pub fn base64url<const N: usize>(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes::<N>())
    }

    /// `length` characters drawn uniformly from `alphabet`, which must contain between 1 and 256 bytes of ASCII.
    pub fn text(&self, length: usize, alphabet: &[u8]) -> String {
        let size = alphabet.len();
        // Bytes above the last multiple of the alphabet's size are drawn again, because they would favour its first characters.
        let limit = 256 - 256 % size;
        let mut text = String::with_capacity(length);
        while text.len() < length {
            for byte in self.bytes::<32>() {
                let index = usize::from(byte);
                if index < limit && text.len() < length {
                    text.push(char::from(alphabet[index % size]));
                }
            }
        }
        text
    }

    /// `length` characters of `[0-9A-Za-z]`.
    pub fn alphanumeric(&self, length: usize) -> String {
        self.text(length, b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    }

    /// `length` decimal digits.
    pub fn digits(&self, length: usize) -> String {
        self.text(length, b"0123456789")
    }

    /// A uniform draw from `0..bound`; 0 when `bound` is 0.
    pub fn below(&self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        let limit = u64::MAX - u64::MAX % bound;
        loop {
            let value = u64::from_le_bytes(self.bytes());
            if value < limit {
                return value % bound;
            }
        }
    }
}

impl std::fmt::Debug for Rng {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rng")
    }
}

/// A generator (`ChaCha20`) per thread, seeded by the operating system and reseeded after [`BYTES_PER_SEED`]. A request draws a
/// dozen small values, and a system call for each would cost more than the values. The process never forks, so no two threads
/// share a state.
struct SystemRandom;

/// The number of bytes that are generated from one seed.
const BYTES_PER_SEED: usize = 16 << 10;

/// Larger values come directly from the operating system.
const LARGEST_FROM_SEED: usize = 256;

struct ThreadGenerator {
    generator: ChaCha20Rng,
    left: usize,
}

thread_local! {
    static GENERATOR: RefCell<Option<ThreadGenerator>> = const { RefCell::new(None) };
}

impl RandomSource for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > LARGEST_FROM_SEED {
            return fill_from_system(bytes);
        }
        GENERATOR.with_borrow_mut(|slot| {
            let generator = match slot {
                Some(generator) if generator.left >= bytes.len() => generator,
                _ => slot.insert(ThreadGenerator::seeded()),
            };
            generator.left -= bytes.len();
            generator.generator.fill_bytes(bytes);
        });
    }
}

impl ThreadGenerator {
    fn seeded() -> Self {
        let mut seed = [0; 32];
        fill_from_system(&mut seed);
        Self { generator: ChaCha20Rng::from_seed(seed), left: BYTES_PER_SEED }
    }
}

#[expect(clippy::panic, reason = "without randomness no secret is safe, so the process must stop")]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the operating system's random source")]
fn fill_from_system(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        panic!("the operating system gives no random bytes: {error}");
    }
}

struct Seeded(Mutex<ChaCha20Rng>);

impl RandomSource for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_values() {
        assert_eq!(Rng::seeded(7).uuid(), Rng::seeded(7).uuid());
        assert_ne!(Rng::seeded(7).uuid(), Rng::seeded(8).uuid());
        assert_eq!(Rng::seeded(7).uuid().get_version_num(), 4);
    }

    #[test]
    fn no_value_is_repeated_across_threads_and_seeds() {
        let draw = || -> Vec<[u8; 16]> {
            let rng = Rng::system();
            (0..3 * BYTES_PER_SEED / 16).map(|_| rng.bytes()).collect()
        };
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(draw)).collect();
        let mut values: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().expect("draws")).collect();
        let drawn = values.len();
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), drawn);
        let large: [u8; 2 * LARGEST_FROM_SEED] = Rng::system().bytes();
        assert_ne!(large[..LARGEST_FROM_SEED], large[LARGEST_FROM_SEED..]);
    }

    #[test]
    fn a_seed_is_used_for_a_bounded_number_of_bytes() {
        let rng = Rng::system();
        let left = || GENERATOR.with_borrow(|it| it.as_ref().map(|it| it.left));
        let mut before = 0;
        let mut seeds = 0;
        for _ in 0..4 * BYTES_PER_SEED / 32 {
            let _: [u8; 32] = rng.bytes();
            let now = left().expect("a generator");
            seeds += usize::from(now > before);
            before = now;
        }
        assert!((4..=5).contains(&seeds), "{seeds}");
    }

    #[test]
    fn text_has_the_requested_length_and_alphabet() {
        let text = Rng::system().text(1000, b"abc");
        assert_eq!(text.len(), 1000);
        assert!(text.bytes().all(|byte| b"abc".contains(&byte)));
        for letter in ['a', 'b', 'c'] {
            assert!(text.matches(letter).count() > 200, "{letter} is far too rare in {text}");
        }
    }
}
