//! PBKDF2 (RFC 8018 section 5.2) and scrypt (RFC 7914).

use hmac::{Hmac, SimpleHmac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use sha3::{Sha3_224, Sha3_384};

use super::{HashFormatError, decode, equal, numbers};

const MAX_PBKDF2_ITERATIONS: u32 = 10_000_000;
const MAX_KEY: u32 = 512;
/// A shorter hash is a prefix of the full one, so too many passwords match it.
const MIN_KEY: u32 = 16;
const MAX_SCRYPT_N: u32 = 1 << 17;
const MAX_SCRYPT_R: u32 = 8;
const MAX_SCRYPT_P: u32 = 10;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DerivedHash {
    function: Function,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Pbkdf2 { digest: Digest, iterations: u32 },
    Scrypt(ScryptCost),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digest {
    Sha1,
    Sha3_224,
    Sha256,
    Sha3_384,
    Sha512,
}

impl Digest {
    const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha3_224 => 28,
            Self::Sha256 => 32,
            Self::Sha3_384 => 48,
            Self::Sha512 => 64,
        }
    }

    const fn iterations_per_millisecond(self) -> u64 {
        match self {
            Self::Sha1 | Self::Sha256 | Self::Sha512 => 1600,
            Self::Sha3_224 | Self::Sha3_384 => 800,
        }
    }
}

/// The cost of one scrypt computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ScryptCost {
    log_n: u8,
    r: u32,
    p: u32,
}

impl ScryptCost {
    pub(super) fn new(log_n: u32, r: u32, p: u32) -> Result<Self, HashFormatError> {
        if log_n > MAX_SCRYPT_N.ilog2() || r > MAX_SCRYPT_R || p > MAX_SCRYPT_P {
            return Err(HashFormatError::TooExpensive("scrypt beyond N = 131072, r = 8, p = 10"));
        }
        let log_n = u8::try_from(log_n).map_err(|_| HashFormatError::Malformed("the scrypt cost is not a number"))?;
        scrypt::Params::new(log_n, r, p).map_err(|_| HashFormatError::Malformed("the scrypt cost is too small"))?;
        Ok(Self { log_n, r, p })
    }

    pub(super) fn memory_kib(self) -> u32 {
        (self.r << self.log_n) / 8
    }

    pub(super) fn estimated_milliseconds(self) -> u64 {
        u64::from(self.memory_kib()) * u64::from(self.p) * 3 / 1024
    }

    pub(super) fn derive(self, password: &[u8], salt: &[u8], out: &mut [u8]) -> bool {
        scrypt::Params::new(self.log_n, self.r, self.p)
            .is_ok_and(|params| scrypt::scrypt(password, salt, &params, out).is_ok())
    }
}

impl DerivedHash {
    pub(super) fn parse_pbkdf2(text: &str) -> Result<Self, HashFormatError> {
        let parts: Vec<&str> = text.split('$').collect();
        let &["", name, parameters, salt, hash] = parts.as_slice() else {
            return Err(HashFormatError::Malformed("a pbkdf2 hash has four parts"));
        };
        let digest = match name {
            "pbkdf2-sha1" => Digest::Sha1,
            // As in the exports of the replaced program, the names sha224 and sha384 mean SHA-3.
            "pbkdf2-sha224" => Digest::Sha3_224,
            "pbkdf2-sha256" => Digest::Sha256,
            "pbkdf2-sha384" => Digest::Sha3_384,
            "pbkdf2-sha512" => Digest::Sha512,
            _ => return Err(HashFormatError::UnknownFormat),
        };
        // Exporters write `l` in bytes or in bits, so the length of the hash itself is used.
        let [iterations, _] = numbers(parameters, ["i", "l"])?;
        let hash = decode(hash)?;
        let length = u32::try_from(hash.len()).unwrap_or(u32::MAX);
        if iterations == 0 || length < MIN_KEY {
            return Err(HashFormatError::Malformed("the pbkdf2 hash has no iterations or fewer than 16 bytes"));
        }
        if iterations > MAX_PBKDF2_ITERATIONS || length > MAX_KEY {
            return Err(HashFormatError::TooExpensive("pbkdf2 beyond 10 million iterations or 512 bytes"));
        }
        Ok(Self { function: Function::Pbkdf2 { digest, iterations }, salt: decode(salt)?, hash })
    }

    pub(super) fn parse_scrypt(rest: &str) -> Result<Self, HashFormatError> {
        let parts: Vec<&str> = rest.split('$').collect();
        let &[parameters, salt, hash] = parts.as_slice() else {
            return Err(HashFormatError::Malformed("a scrypt hash has three parts"));
        };
        // `ln` holds N itself, not its logarithm.
        let [n, r, p] = numbers(parameters, ["ln", "r", "p"])?;
        if !n.is_power_of_two() || n < 2 {
            return Err(HashFormatError::Malformed("the scrypt cost is not a power of two"));
        }
        let cost = ScryptCost::new(n.ilog2(), r, p)?;
        let hash = decode(hash)?;
        if !(MIN_KEY as usize..=MAX_KEY as usize).contains(&hash.len()) {
            return Err(HashFormatError::Malformed("the scrypt hash has the wrong length"));
        }
        Ok(Self { function: Function::Scrypt(cost), salt: decode(salt)?, hash })
    }

    pub(super) fn memory_kib(&self) -> u32 {
        match self.function {
            Function::Pbkdf2 { .. } => 8,
            Function::Scrypt(cost) => cost.memory_kib(),
        }
    }

    pub(super) fn estimated_milliseconds(&self) -> u64 {
        match self.function {
            Function::Pbkdf2 { digest, iterations } => {
                let blocks = self.hash.len().div_ceil(digest.length());
                let work = u64::from(iterations) * u64::try_from(blocks).unwrap_or(u64::MAX);
                work / digest.iterations_per_millisecond()
            }
            Function::Scrypt(cost) => cost.estimated_milliseconds(),
        }
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let mut out = vec![0; self.hash.len()];
        let computed = match self.function {
            Function::Pbkdf2 { digest, iterations } => pbkdf2(digest, password, &self.salt, iterations, &mut out),
            Function::Scrypt(cost) => cost.derive(password, &self.salt, &mut out),
        };
        computed && equal(&out, &self.hash)
    }
}

fn pbkdf2(digest: Digest, password: &[u8], salt: &[u8], iterations: u32, out: &mut [u8]) -> bool {
    let result = match digest {
        Digest::Sha1 => pbkdf2::pbkdf2::<Hmac<Sha1>>(password, salt, iterations, out),
        Digest::Sha3_224 => pbkdf2::pbkdf2::<SimpleHmac<Sha3_224>>(password, salt, iterations, out),
        Digest::Sha256 => pbkdf2::pbkdf2::<Hmac<Sha256>>(password, salt, iterations, out),
        Digest::Sha3_384 => pbkdf2::pbkdf2::<SimpleHmac<Sha3_384>>(password, salt, iterations, out),
        Digest::Sha512 => pbkdf2::pbkdf2::<Hmac<Sha512>>(password, salt, iterations, out),
    };
    result.is_ok()
}
