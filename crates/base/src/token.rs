//! Bearer values: plain from the moment they are minted to the answer that carries them, a digest ever after.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::Rng;

/// A bearer value as its holder knows it. It never goes to storage or into a log.
#[derive(Clone)]
pub struct PlainToken(String);

impl PlainToken {
    /// `prefix` followed by `length` random alphanumerics; 32 of them carry 190 bits.
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

    /// What is stored and looked up in its place. SHA-256 without a key is enough, because the value is random.
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

/// The stored form of a [`PlainToken`]: 32 bytes that find it and do not reveal it.
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
