//! bcrypt (Provos and Mazières, 1999). It uses only the first 72 bytes of a password, so longer passwords are rejected
//! instead of truncated. The variant `2x` is rejected: it accepts several passwords for one hash.

use bcrypt::Version;

use super::HashFormatError;

/// A higher cost would take half a minute to verify.
const MAX_COST: u32 = 15;
const MIN_COST: u32 = 4;
/// The number of bytes of a password that bcrypt uses.
pub(super) const MAX_PASSWORD: usize = 72;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BcryptHash {
    text: String,
    cost: u32,
}

pub(super) fn is_bcrypt(text: &str) -> bool {
    ["$2$", "$2a$", "$2b$", "$2x$", "$2y$", "$2z$"].iter().any(|prefix| text.starts_with(prefix))
}

impl BcryptHash {
    pub(super) fn parse(text: &str) -> Result<Self, HashFormatError> {
        let parts: Vec<&str> = text.split('$').collect();
        let &["", version, cost, body] = parts.as_slice() else {
            return Err(HashFormatError::Malformed("a bcrypt hash has three parts"));
        };
        if version == "2x" {
            return Err(HashFormatError::Malformed("the bcrypt version 2x is not safe"));
        }
        let known = body.len() == 53 && body.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'/');
        if !known || cost.len() != 2 {
            return Err(HashFormatError::Malformed("the bcrypt salt or hash has the wrong length"));
        }
        let cost: u32 = cost.parse().map_err(|_| HashFormatError::Malformed("the bcrypt cost is not a number"))?;
        if cost > MAX_COST {
            return Err(HashFormatError::TooExpensive("bcrypt with a cost of more than 15"));
        }
        if cost < MIN_COST {
            return Err(HashFormatError::Malformed("the bcrypt cost is below 4"));
        }
        // The other version names denote the same algorithm.
        Ok(Self { text: format!("$2b${cost:02}${body}"), cost })
    }

    pub(super) const fn cost(&self) -> u32 {
        self.cost
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        // A password that bcrypt would truncate never matches. It takes the usual time anyway, so that timing does not
        // reveal whether the account exists.
        let readable: Vec<u8> = password.iter().copied().filter(|byte| *byte != 0).take(MAX_PASSWORD).collect();
        let matches = bcrypt::verify(&readable, &self.text).unwrap_or(false);
        matches && is_hashable(password)
    }
}

/// bcrypt hashes a terminating zero, so a password that contains one could match another password.
fn is_hashable(password: &[u8]) -> bool {
    password.len() <= MAX_PASSWORD && !password.contains(&0)
}

pub(super) fn hash(password: &[u8], salt: [u8; 16], cost: u32) -> Option<String> {
    if !is_hashable(password) {
        return None;
    }
    let parts = bcrypt::hash_with_salt(password, cost, salt).ok()?;
    Some(parts.format_for_version(Version::TwoA))
}
