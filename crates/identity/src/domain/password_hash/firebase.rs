//! The scrypt of Firebase: the derived key encrypts the project's signer key with AES-256-CTR and a zero counter. The
//! ciphertext is the hash.

use aws_lc_rs::cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;

use super::derived::ScryptCost;
use super::{HashFormatError, decode, equal, numbers};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FirebaseHash {
    cost: ScryptCost,
    /// The salt of the password, then the separator of the project.
    salt: Vec<u8>,
    hash: Vec<u8>,
    signer_key: Vec<u8>,
}

impl FirebaseHash {
    pub(super) fn parse(rest: &str) -> Result<Self, HashFormatError> {
        let parts: Vec<&str> = rest.split('$').collect();
        let &[parameters, salt, hash, separator, signer_key] = parts.as_slice() else {
            return Err(HashFormatError::Malformed("a firescrypt hash has five parts"));
        };
        let [log_n, r, p] = numbers(parameters, ["ln", "r", "p"])?;
        let cost = ScryptCost::new(log_n, r, p)?;
        let mut salt = decode(salt)?;
        salt.extend(decode(separator)?);
        let (hash, signer_key) = (decode(hash)?, decode(signer_key)?);
        if hash.len() < 16 || hash.len() != signer_key.len() {
            return Err(HashFormatError::Malformed("the firescrypt hash is too short or unlike its signer key"));
        }
        Ok(Self { cost, salt, hash, signer_key })
    }

    pub(super) const fn cost(&self) -> ScryptCost {
        self.cost
    }

    pub(super) fn memory_kib(&self) -> u32 {
        self.cost.memory_kib()
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let mut key = [0; 32];
        self.cost.derive(password, &self.salt, &mut key)
            && encrypt(&key, &self.signer_key).is_some_and(|computed| equal(&computed, &self.hash))
    }
}

fn encrypt(key: &[u8; 32], plaintext: &[u8]) -> Option<Vec<u8>> {
    let key = EncryptingKey::ctr(UnboundCipherKey::new(&AES_256, key).ok()?).ok()?;
    let mut text = plaintext.to_vec();
    key.less_safe_encrypt(&mut text, EncryptionContext::Iv128(FixedLength::from([0; 16]))).ok()?;
    Some(text)
}
