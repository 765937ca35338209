//! Client secrets at rest (RFC 6749 section 2.3.1).
//!
//! A generated secret has 154 bits of entropy, so a plain digest, bound to its client, is as secure as a slow hash and much
//! cheaper. A secret that an operator chose may be weak and gets the configured slow hash, whose formats
//! (`$pbkdf2-sha256$i=..,l=..$salt$key` and bcrypt) are also those of imported clients. Invariants: no function here
//! returns a secret, and comparisons take constant time.

use std::fmt;
use std::str::FromStr;

use base::{Rng, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::client_id::ClientId;

/// The minimum length of a chosen secret.
pub const MIN_CHOSEN_SECRET_LENGTH: usize = 6;

/// bcrypt ignores further bytes; a longer secret would be truncated silently.
const MAX_BCRYPT_SECRET_LENGTH: usize = 72;

/// Limits the cost of verifying an imported hash.
const MAX_PBKDF2_ITERATIONS: u32 = 10_000_000;

/// The stored form of a client secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientSecretDigest {
    /// SHA-256 over client id and secret: for generated secrets.
    Generated([u8; 32]),
    Pbkdf2 {
        iterations: u32,
        salt: Vec<u8>,
        key: Vec<u8>,
    },
    /// The complete `$2a$..` string.
    Bcrypt(String),
}

/// The hash for chosen secrets (`oauth2.hashers`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretHasher {
    Pbkdf2 { iterations: u32 },
    Bcrypt { cost: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashSecretError {
    #[error("the client_secret must have at least {MIN_CHOSEN_SECRET_LENGTH} characters")]
    TooShort,
    #[error("the client_secret must not be longer than {MAX_BCRYPT_SECRET_LENGTH} bytes when bcrypt hashes it")]
    TooLong,
    #[error("the client_secret cannot be hashed with the configured parameters")]
    Parameters,
}

/// The text is not a supported hash format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a stored client secret")]
pub struct InvalidDigest;

/// A new secret: 26 characters of RFC 6749's unreserved alphabet.
pub fn generate(rng: &Rng) -> Secret<String> {
    const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.~-";
    Secret::new(rng.text(26, ALPHABET))
}

impl ClientSecretDigest {
    /// Only for a secret from [`generate`].
    pub fn of_generated(client: &ClientId, secret: &Secret<String>) -> Self {
        Self::Generated(bound_digest(client, secret.expose()))
    }

    /// Hashes a chosen secret. This is deliberately slow: do not call it on the runtime's threads or in transactions.
    pub fn of_chosen(hasher: SecretHasher, secret: &Secret<String>, rng: &Rng) -> Result<Self, HashSecretError> {
        if secret.expose().chars().count() < MIN_CHOSEN_SECRET_LENGTH {
            return Err(HashSecretError::TooShort);
        }
        match hasher {
            SecretHasher::Pbkdf2 { iterations } => {
                let salt = rng.bytes::<16>().to_vec();
                let key = derive(secret.expose(), &salt, iterations, 32);
                Ok(Self::Pbkdf2 { iterations, salt, key })
            }
            SecretHasher::Bcrypt { cost } => {
                if secret.expose().len() > MAX_BCRYPT_SECRET_LENGTH {
                    return Err(HashSecretError::TooLong);
                }
                let parts = bcrypt::hash_with_salt(secret.expose(), cost, rng.bytes());
                parts.map(|parts| Self::Bcrypt(parts.to_string())).map_err(|_| HashSecretError::Parameters)
            }
        }
    }

    /// Whether the presented secret matches. Fast for [`Self::Generated`], slow for the others.
    pub fn matches(&self, client: &ClientId, presented: &str) -> bool {
        match self {
            Self::Generated(digest) => bound_digest(client, presented).ct_eq(digest).into(),
            Self::Pbkdf2 { iterations, salt, key } => derive(presented, salt, *iterations, key.len()).ct_eq(key).into(),
            Self::Bcrypt(hash) => bcrypt::verify(presented, hash).unwrap_or(false),
        }
    }

    /// Whether [`Self::matches`] uses a slow hash.
    pub fn is_slow(&self) -> bool {
        match self {
            Self::Generated(_) => false,
            Self::Pbkdf2 { .. } | Self::Bcrypt(_) => true,
        }
    }
}

fn bound_digest(client: &ClientId, secret: &str) -> [u8; 32] {
    // Client ids contain no NUL, so the three parts are unambiguous.
    let digest = Sha256::new().chain_update(b"kleis client secret\0").chain_update(client.as_str()).chain_update(b"\0");
    digest.chain_update(secret).finalize().into()
}

fn derive(secret: &str, salt: &[u8], iterations: u32, length: usize) -> Vec<u8> {
    let mut key = vec![0; length];
    pbkdf2::pbkdf2_hmac::<Sha256>(secret.as_bytes(), salt, iterations, &mut key);
    key
}

impl fmt::Display for ClientSecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generated(digest) => write!(f, "$kleis-sha256${}", STANDARD_NO_PAD.encode(digest)),
            Self::Pbkdf2 { iterations, salt, key } => {
                let (salt64, key64) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(key));
                write!(f, "$pbkdf2-sha256$i={iterations},l={}${salt64}${key64}", key.len())
            }
            Self::Bcrypt(hash) => f.write_str(hash),
        }
    }
}

impl FromStr for ClientSecretDigest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(encoded) = text.strip_prefix("$kleis-sha256$") {
            let digest = STANDARD_NO_PAD.decode(encoded).map_err(|_| InvalidDigest)?;
            return digest.try_into().map(Self::Generated).map_err(|_| InvalidDigest);
        }
        if let Some(rest) = text.strip_prefix("$pbkdf2-sha256$") {
            return parse_pbkdf2(rest).ok_or(InvalidDigest);
        }
        let is_bcrypt = text.starts_with("$2") && text.parse::<bcrypt::HashParts>().is_ok();
        if is_bcrypt { Ok(Self::Bcrypt(text.to_owned())) } else { Err(InvalidDigest) }
    }
}

fn parse_pbkdf2(rest: &str) -> Option<ClientSecretDigest> {
    let mut parts = rest.split('$');
    let (parameters, salt, key) = (parts.next()?, parts.next()?, parts.next()?);
    let (iterations, length) = parameters.split_once(',')?;
    let iterations: u32 = iterations.strip_prefix("i=")?.parse().ok()?;
    let length: usize = length.strip_prefix("l=")?.parse().ok()?;
    let (salt, key) = (STANDARD_NO_PAD.decode(salt).ok()?, STANDARD_NO_PAD.decode(key).ok()?);
    let sound = parts.next().is_none()
        && (1..=MAX_PBKDF2_ITERATIONS).contains(&iterations)
        && key.len() == length
        && (16..=64).contains(&length);
    sound.then_some(ClientSecretDigest::Pbkdf2 { iterations, salt, key })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(id: &str) -> ClientId {
        ClientId::parse(id).unwrap()
    }

    #[test]
    fn a_generated_secret_matches_only_for_its_own_client() {
        let secret = generate(&Rng::seeded(1));
        assert_eq!(secret.expose().len(), 26);
        let digest = ClientSecretDigest::of_generated(&client("a"), &secret);
        assert!(digest.matches(&client("a"), secret.expose()));
        assert!(!digest.matches(&client("b"), secret.expose()));
        assert!(!digest.matches(&client("a"), "something else"));
    }

    #[test]
    fn chosen_secrets_match_under_either_hasher_and_round_trip() {
        let secret = Secret::new("averylongsecret".to_owned());
        for hasher in [SecretHasher::Pbkdf2 { iterations: 10 }, SecretHasher::Bcrypt { cost: 4 }] {
            let digest = ClientSecretDigest::of_chosen(hasher, &secret, &Rng::seeded(1)).unwrap();
            let read: ClientSecretDigest = digest.to_string().parse().unwrap();
            assert_eq!(read, digest);
            assert!(read.is_slow());
            assert!(read.matches(&client("a"), "averylongsecret"));
            assert!(!read.matches(&client("a"), "averylongsecreT"));
        }
    }

    #[test]
    fn a_chosen_secret_has_length_limits() {
        let hash =
            |text: &str, hasher| ClientSecretDigest::of_chosen(hasher, &Secret::new(text.to_owned()), &Rng::seeded(1));
        let pbkdf2 = SecretHasher::Pbkdf2 { iterations: 10 };
        assert_eq!(hash("12345", pbkdf2), Err(HashSecretError::TooShort));
        assert_eq!(hash(&"x".repeat(73), SecretHasher::Bcrypt { cost: 4 }), Err(HashSecretError::TooLong));
        assert!(hash(&"x".repeat(73), pbkdf2).is_ok());
    }

    #[test]
    fn hashes_of_hydra_are_supported() {
        // PBKDF2 of "foobar" with salt 0x00..0x0f, as stored in `hydra_client.client_secret`.
        let salt: Vec<u8> = (0..16).collect();
        let key = derive("foobar", &salt, 25_000, 32);
        let text =
            format!("$pbkdf2-sha256$i=25000,l=32${}${}", STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(key));
        assert!(text.parse::<ClientSecretDigest>().unwrap().matches(&client("x"), "foobar"));
        for bad in
            ["", "plain", "$pbkdf2-sha256$i=0,l=32$AA$AA", "$pbkdf2-sha256$i=1,l=3$AA$AAAA", "$2a$", "$kleis-sha256$AA"]
        {
            assert_eq!(bad.parse::<ClientSecretDigest>(), Err(InvalidDigest), "{bad}");
        }
    }
}
