//! The hashes of Unix `crypt(3)`: MD5-crypt (Poul-Henning Kamp, 1994), SHA-256-crypt and SHA-512-crypt (Ulrich Drepper,
//! 2007), with the prefixes that imports use.

use md5::{Digest as _, Md5};
use sha_crypt::{PasswordVerifier as _, ShaCrypt};

use super::{HashFormatError, equal};

const ITOA64: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const MAX_ROUNDS: u32 = 10_000_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CryptHash {
    Md5 {
        salt: String,
        hash: String,
    },
    Sha {
        /// In the format of `crypt(3)`.
        text: String,
        rounds: u32,
    },
}

/// The number of rounds of SHA-crypt without `rounds`.
const DEFAULT_ROUNDS: u32 = 5000;
/// The fixed number of rounds of MD5-crypt.
const MD5_ROUNDS: u32 = 1000;
/// Every round hashes the entire password, so a longer one is not tried and never matches.
const MAX_PASSWORD: usize = 1024;

impl CryptHash {
    pub(super) fn parse_md5(rest: &str) -> Result<Self, HashFormatError> {
        match rest.split_once('$') {
            Some((salt, hash)) if hash.len() == 22 && hash.bytes().all(|b| ITOA64.contains(&b)) => {
                // crypt(3) uses eight characters of a salt.
                let salt = salt.chars().take(8).collect();
                Ok(Self::Md5 { salt, hash: hash.to_owned() })
            }
            _ => Err(HashFormatError::Malformed("an md5-crypt hash has a salt and a hash of 22 characters")),
        }
    }

    pub(super) fn parse_sha(id: &str, rest: &str) -> Result<Self, HashFormatError> {
        let length = if id == "5" { 43 } else { 86 };
        let parts: Vec<&str> = rest.split('$').collect();
        let (rounds, salt, hash) = match *parts.as_slice() {
            [salt, hash] => (None, salt, hash),
            [rounds, salt, hash] => (Some(rounds), salt, hash),
            _ => return Err(HashFormatError::Malformed("a sha-crypt hash has a salt and a hash")),
        };
        if hash.len() != length || !hash.bytes().all(|b| ITOA64.contains(&b)) {
            return Err(HashFormatError::Malformed("the sha-crypt hash has the wrong length"));
        }
        let mut count = DEFAULT_ROUNDS;
        if let Some(rounds) = rounds {
            count = rounds
                .strip_prefix("rounds=")
                .and_then(|number| number.parse().ok())
                .filter(|number| *number >= 1000)
                .ok_or(HashFormatError::Malformed("the rounds are not a number of 1000 or more"))?;
            if count > MAX_ROUNDS {
                return Err(HashFormatError::TooExpensive("sha-crypt with more than 10 million rounds"));
            }
        }
        let salt: String = salt.chars().take(16).collect();
        let rounds = rounds.map(|rounds| format!("{rounds}$")).unwrap_or_default();
        Ok(Self::Sha { text: format!("${id}${rounds}{salt}${hash}"), rounds: count })
    }

    pub(super) const fn rounds(&self) -> u32 {
        match self {
            Self::Md5 { .. } => MD5_ROUNDS,
            Self::Sha { rounds, .. } => *rounds,
        }
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        if password.len() > MAX_PASSWORD {
            return false;
        }
        match self {
            Self::Md5 { salt, hash } => equal(md5_crypt(password, salt.as_bytes()).as_bytes(), hash.as_bytes()),
            Self::Sha { text, .. } => ShaCrypt::default().verify_password(password, text.as_str()).is_ok(),
        }
    }
}

/// The algorithm of `$1$`, as its author specified it.
fn md5_crypt(password: &[u8], salt: &[u8]) -> String {
    let inner = Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize();
    let mut outer = Md5::new().chain_update(password).chain_update(b"$1$").chain_update(salt);
    for chunk in password.chunks(16) {
        outer.update(&inner[..chunk.len()]);
    }
    let mut length = password.len();
    while length > 0 {
        // A known bug of the original: where the bit is set, a zero byte is added, otherwise the first byte of the password.
        outer.update(if length & 1 == 1 { &[0][..] } else { &password[..1] });
        length >>= 1;
    }
    let mut digest = outer.finalize();
    for round in 0..1000 {
        let mut next = Md5::new();
        if round & 1 == 1 {
            next.update(password);
        } else {
            next.update(digest);
        }
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        if round & 1 == 1 {
            next.update(digest);
        } else {
            next.update(password);
        }
        digest = next.finalize();
    }
    let mut text = String::with_capacity(22);
    for [a, b, c] in [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] {
        push(&mut text, u32::from(digest[a]) << 16 | u32::from(digest[b]) << 8 | u32::from(digest[c]), 4);
    }
    push(&mut text, u32::from(digest[11]), 2);
    text
}

fn push(text: &mut String, mut value: u32, characters: usize) {
    for _ in 0..characters {
        text.push(char::from(ITOA64[(value & 0x3f) as usize]));
        value >>= 6;
    }
}
