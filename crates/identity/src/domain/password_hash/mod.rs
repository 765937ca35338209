//! Password hashes: those that this service creates (argon2id, bcrypt) and those that other systems export. A prefix of the
//! text identifies the algorithm. The cost of an imported hash is limited in work and in memory, whatever its algorithm: see
//! [`PasswordHash::parse_import`].
//!
//! Invariants: comparison is in constant time. A malformed hash is an error when it is stored and a failed
//! verification afterwards.

mod argon2id;
mod bcrypt_hash;
mod crypt;
mod derived;
mod digest;
mod firebase;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use subtle::ConstantTimeEq as _;

pub use argon2id::{Argon2Parameters, WorkMemory};

/// Standard base64. Padding is optional, because exporting systems differ.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The longest verification that an imported hash may need, as estimated for a slow core.
const MAX_IMPORT_MILLISECONDS: u64 = 1300;
/// The memory that the verification of an imported hash may need.
const MAX_IMPORT_MEMORY_KIB: u32 = 256 * 1024;
/// The maximum length of an imported hash. Its salt or pattern is hashed with every guess.
const MAX_IMPORT_BYTES: usize = 4096;

/// A parsed password hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordHash(Form);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Argon2(argon2id::Argon2Hash),
    Bcrypt(bcrypt_hash::BcryptHash),
    Crypt(crypt::CryptHash),
    Derived(derived::DerivedHash),
    Digest(digest::DigestHash),
    Firebase(firebase::FirebaseHash),
}

/// The text is not a supported password hash. The reason is intended for the administrator who imports it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashFormatError {
    #[error("the hashed password has no known format")]
    UnknownFormat,
    #[error("the hashed password is malformed: {0}")]
    Malformed(&'static str),
    #[error("the hashed password costs more than is allowed: {0}")]
    TooExpensive(&'static str),
}

impl PasswordHash {
    /// Parses a hash by its prefix.
    pub fn parse(text: &str) -> Result<Self, HashFormatError> {
        if let Some(rest) = text.strip_prefix("$md5-crypt$") {
            return crypt::CryptHash::parse_md5(rest).map(Form::Crypt).map(Self);
        }
        if bcrypt_hash::is_bcrypt(text) {
            return bcrypt_hash::BcryptHash::parse(text).map(Form::Bcrypt).map(Self);
        }
        for (prefix, id) in [("$sha256-crypt$", "5"), ("$sha512-crypt$", "6")] {
            if let Some(rest) = text.strip_prefix(prefix) {
                return crypt::CryptHash::parse_sha(id, rest).map(Form::Crypt).map(Self);
            }
        }
        if text.starts_with("$argon2id$") || text.starts_with("$argon2i$") {
            return argon2id::Argon2Hash::parse(text).map(Form::Argon2).map(Self);
        }
        if text.starts_with("$pbkdf2-") {
            return derived::DerivedHash::parse_pbkdf2(text).map(Form::Derived).map(Self);
        }
        if let Some(rest) = text.strip_prefix("$scrypt$") {
            return derived::DerivedHash::parse_scrypt(rest).map(Form::Derived).map(Self);
        }
        if text.starts_with("{SSHA") {
            return digest::DigestHash::parse_ssha(text).map(Form::Digest).map(Self);
        }
        if let Some(rest) = text.strip_prefix("$firescrypt$") {
            return firebase::FirebaseHash::parse(rest).map(Form::Firebase).map(Self);
        }
        if text.starts_with("$hmac-") {
            return digest::DigestHash::parse_hmac(text).map(Form::Digest).map(Self);
        }
        if ["$sha1$", "$sha256$", "$sha512$", "$md5$"].iter().any(|prefix| text.starts_with(prefix)) {
            return digest::DigestHash::parse_formatted(text).map(Form::Digest).map(Self);
        }
        Err(HashFormatError::UnknownFormat)
    }

    /// Parses a hash from another system. Rejects one whose verification needs too much work or memory.
    pub fn parse_import(text: &str) -> Result<Self, HashFormatError> {
        if text.len() > MAX_IMPORT_BYTES {
            return Err(HashFormatError::TooExpensive("a text of more than 4096 bytes"));
        }
        let hash = Self::parse(text)?;
        if hash.memory_kib() > MAX_IMPORT_MEMORY_KIB {
            return Err(HashFormatError::TooExpensive("more than 256 MiB of memory"));
        }
        if hash.estimated_milliseconds() > MAX_IMPORT_MILLISECONDS {
            return Err(HashFormatError::TooExpensive("more than about a second of work"));
        }
        Ok(hash)
    }

    /// The duration of a verification on a slow core, estimated from measurements.
    fn estimated_milliseconds(&self) -> u64 {
        match &self.0 {
            Form::Argon2(hash) => {
                let parameters = hash.parameters();
                u64::from(parameters.memory_kib) * u64::from(parameters.iterations) / 1024
            }
            Form::Bcrypt(hash) => (1 << hash.cost()) / 13,
            Form::Crypt(hash) => u64::from(hash.rounds()) / 800,
            Form::Derived(hash) => hash.estimated_milliseconds(),
            Form::Digest(_) => 0,
            Form::Firebase(hash) => hash.cost().estimated_milliseconds(),
        }
    }

    /// Whether this is the hash of `password`. Slow by design: do not run it on an async worker thread.
    pub fn verify(&self, password: &[u8], memory: &mut WorkMemory) -> bool {
        match &self.0 {
            Form::Argon2(hash) => hash.verify(password, memory),
            Form::Bcrypt(hash) => hash.verify(password),
            Form::Crypt(hash) => hash.verify(password),
            Form::Derived(hash) => hash.verify(password),
            Form::Digest(hash) => hash.verify(password),
            Form::Firebase(hash) => hash.verify(password),
        }
    }

    /// The working memory that a verification needs, in KiB.
    pub fn memory_kib(&self) -> u32 {
        match &self.0 {
            Form::Argon2(hash) => hash.parameters().memory_kib,
            Form::Derived(hash) => hash.memory_kib(),
            Form::Firebase(hash) => hash.memory_kib(),
            Form::Bcrypt(_) | Form::Crypt(_) | Form::Digest(_) => 8,
        }
    }

    /// The cost, when this is a bcrypt hash.
    pub const fn bcrypt_cost(&self) -> Option<u32> {
        match &self.0 {
            Form::Bcrypt(hash) => Some(hash.cost()),
            _ => None,
        }
    }

    /// The parameters, when this is an argon2id hash.
    pub fn argon2id_parameters(&self) -> Option<Argon2Parameters> {
        match &self.0 {
            Form::Argon2(hash) if hash.is_argon2id() => Some(hash.parameters()),
            _ => None,
        }
    }
}

/// A new argon2id hash.
pub fn hash_argon2id(
    password: &[u8],
    salt: &[u8],
    parameters: Argon2Parameters,
    memory: &mut WorkMemory,
) -> Option<String> {
    argon2id::hash(password, salt, parameters, memory)
}

/// A new bcrypt hash; `None` for more than 72 bytes, which bcrypt would silently truncate.
pub fn hash_bcrypt(password: &[u8], salt: [u8; 16], cost: u32) -> Option<String> {
    bcrypt_hash::hash(password, salt, cost)
}

fn decode(text: &str) -> Result<Vec<u8>, HashFormatError> {
    BASE64.decode(text).map_err(|_| HashFormatError::Malformed("a part is not base64"))
}

fn encode(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

fn equal(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// Parses `a=1,b=2`, with the names in exactly this order.
fn numbers<const N: usize>(text: &str, names: [&str; N]) -> Result<[u32; N], HashFormatError> {
    let mut values = [0; N];
    let mut parts = text.split(',');
    for (value, name) in values.iter_mut().zip(names) {
        let (key, number) = parts
            .next()
            .and_then(|part| part.split_once('='))
            .ok_or(HashFormatError::Malformed("a parameter is missing"))?;
        if key != name {
            return Err(HashFormatError::Malformed("a parameter has another name than expected"));
        }
        *value = number.parse().map_err(|_| HashFormatError::Malformed("a parameter is not a number"))?;
    }
    if parts.next().is_some() {
        return Err(HashFormatError::Malformed("there are more parameters than expected"));
    }
    Ok(values)
}

#[cfg(test)]
mod tests;
