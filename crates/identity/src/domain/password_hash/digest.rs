//! Fast digests that older systems used for passwords: salted SHA of LDAP (RFC 2307 style), plain and formatted MD5 and SHA,
//! HMAC. They are accepted for migration: the first sign-in hashes the password again.

use hmac::{Hmac, KeyInit as _, Mac as _};
use md4::Md4;
use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::{HashFormatError, decode, equal};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Md4,
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DigestHash {
    algorithm: Algorithm,
    input: Input,
    hash: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Input {
    /// The password, then the salt.
    Salted(Vec<u8>),
    /// A pattern with `{SALT}` and `{PASSWORD}`.
    Formatted { pattern: Vec<u8>, salt: Vec<u8> },
    /// The password alone.
    Plain,
    /// HMAC of the password under a key, compared as hexadecimal text.
    Keyed(Vec<u8>),
}

impl Algorithm {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "md4" => Some(Self::Md4),
            "md5" => Some(Self::Md5),
            "sha1" => Some(Self::Sha1),
            "sha224" => Some(Self::Sha224),
            "sha256" => Some(Self::Sha256),
            "sha384" => Some(Self::Sha384),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    const fn length(self) -> usize {
        match self {
            Self::Md4 | Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        macro_rules! digest {
            ($kind:ty) => {{
                let mut state = <$kind>::new();
                for part in parts {
                    state.update(part);
                }
                state.finalize().to_vec()
            }};
        }
        match self {
            Self::Md4 => digest!(Md4),
            Self::Md5 => digest!(Md5),
            Self::Sha1 => digest!(Sha1),
            Self::Sha224 => digest!(Sha224),
            Self::Sha256 => digest!(Sha256),
            Self::Sha384 => digest!(Sha384),
            Self::Sha512 => digest!(Sha512),
        }
    }

    fn hmac(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        macro_rules! keyed {
            ($kind:ty) => {
                // HMAC accepts a key of any length, so this never fails.
                Hmac::<$kind>::new_from_slice(key)
                    .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec())
                    .unwrap_or_default()
            };
        }
        match self {
            Self::Md4 => keyed!(Md4),
            Self::Md5 => keyed!(Md5),
            Self::Sha1 => keyed!(Sha1),
            Self::Sha224 => keyed!(Sha224),
            Self::Sha256 => keyed!(Sha256),
            Self::Sha384 => keyed!(Sha384),
            Self::Sha512 => keyed!(Sha512),
        }
    }
}

impl DigestHash {
    /// `{SSHA256}` and base64 of the hash followed by the salt.
    pub(super) fn parse_ssha(text: &str) -> Result<Self, HashFormatError> {
        let (algorithm, body) =
            [("{SSHA}", Algorithm::Sha1), ("{SSHA256}", Algorithm::Sha256), ("{SSHA512}", Algorithm::Sha512)]
                .into_iter()
                .find_map(|(prefix, algorithm)| text.strip_prefix(prefix).map(|body| (algorithm, body)))
                .ok_or(HashFormatError::UnknownFormat)?;
        let mut hash = decode(body)?;
        if hash.len() <= algorithm.length() {
            return Err(HashFormatError::Malformed("the salted hash is too short for a hash and a salt"));
        }
        let salt = hash.split_off(algorithm.length());
        Ok(Self { algorithm, input: Input::Salted(salt), hash })
    }

    /// `$sha256$pf=<pattern>$<salt>$<hash>`; MD5 also as `$md5$<hash>`.
    pub(super) fn parse_formatted(text: &str) -> Result<Self, HashFormatError> {
        let parts: Vec<&str> = text.split('$').collect();
        let (name, input, hash) = match *parts.as_slice() {
            ["", name @ "md5", hash] => (name, Input::Plain, hash),
            ["", name, pattern, salt, hash] => {
                let pattern = pattern
                    .strip_prefix("pf=")
                    .ok_or(HashFormatError::Malformed("the format of the hashed text is missing"))?;
                let pattern = decode(pattern)?;
                if !contains(&pattern, PASSWORD) {
                    return Err(HashFormatError::Malformed("the format does not contain {PASSWORD}"));
                }
                (name, Input::Formatted { pattern, salt: decode(salt)? }, hash)
            }
            _ => return Err(HashFormatError::Malformed("the hash has the wrong number of parts")),
        };
        let algorithm = Algorithm::parse(name).ok_or(HashFormatError::UnknownFormat)?;
        let hash = decode(hash)?;
        if hash.len() != algorithm.length() {
            return Err(HashFormatError::Malformed("the hash has the wrong length"));
        }
        Ok(Self { algorithm, input, hash })
    }

    /// `$hmac-sha256$<base64 of the hexadecimal digest>$<base64 of the key>`.
    pub(super) fn parse_hmac(text: &str) -> Result<Self, HashFormatError> {
        let parts: Vec<&str> = text.split('$').collect();
        let &["", name, hash, key] = parts.as_slice() else {
            return Err(HashFormatError::Malformed("an hmac hash has three parts"));
        };
        let algorithm = name.strip_prefix("hmac-").and_then(Algorithm::parse).ok_or(HashFormatError::UnknownFormat)?;
        let hash = decode(hash)?.to_ascii_lowercase();
        if hash.len() != 2 * algorithm.length() || !hash.iter().all(u8::is_ascii_hexdigit) {
            return Err(HashFormatError::Malformed("the hmac is not a hexadecimal digest"));
        }
        Ok(Self { algorithm, input: Input::Keyed(decode(key)?), hash })
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let computed = match &self.input {
            Input::Salted(salt) => self.algorithm.digest(&[password, salt]),
            Input::Formatted { pattern, salt } => self.algorithm.digest(&[&fill(pattern, salt, password)]),
            Input::Plain => self.algorithm.digest(&[password]),
            Input::Keyed(key) => hex::encode(self.algorithm.hmac(key, password)).into_bytes(),
        };
        equal(&computed, &self.hash)
    }
}

const SALT: &[u8] = b"{SALT}";
const PASSWORD: &[u8] = b"{PASSWORD}";

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Replaces in one pass, so that a salt or password that looks like a placeholder is not expanded.
fn fill(pattern: &[u8], salt: &[u8], password: &[u8]) -> Vec<u8> {
    let mut filled = Vec::with_capacity(pattern.len() + salt.len() + password.len());
    let mut rest = pattern;
    while let Some((first, tail)) = rest.split_first() {
        if let Some(tail) = rest.strip_prefix(SALT) {
            filled.extend_from_slice(salt);
            rest = tail;
        } else if let Some(tail) = rest.strip_prefix(PASSWORD) {
            filled.extend_from_slice(password);
            rest = tail;
        } else {
            filled.push(*first);
            rest = tail;
        }
    }
    filled
}
