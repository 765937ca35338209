//! Bearer values: plain from their generation to the answer that contains them, and stored only as a digest.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::Rng;

/// A bearer value as its holder has it. It must never be stored or logged.
#[derive(Clone)]
pub struct PlainToken(String);

impl PlainToken {
    /// `prefix` followed by `length` random alphanumerics; 32 of them have 190 bits of entropy.
    pub fn generate(rng: &Rng, prefix: &str, length: usize) -> Self {
        Self(format!("{prefix}{}", rng.alphanumeric(length)))
    }

    /// A value that a client sent.
    pub fn received(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The digest that is stored and looked up. SHA-256 without a key is sufficient, because the value is random.
    pub fn digest(&self) -> TokenDigest {
        TokenDigest(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl Drop for PlainToken {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for PlainToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[token]")
    }
}

/// The stored form of a [`PlainToken`]: 32 bytes that identify it and do not reveal it.
#[derive(Clone, Copy, Debug)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for TokenDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenDigest {}
