//! Sealed values: values that clients hold and must return unchanged and cannot read (challenges, page tokens, access tokens,
//! cookies), and values that must not be readable in the database (secrets of credentials and providers).
//!
//! XChaCha20-Poly1305 under a key derived from the configured secret. The layout is `version (1) | key id (4) | nonce (24) |
//! ciphertext and tag`; purpose and tenant are authenticated, so that a value of one kind never opens as another. The first key
//! seals, all keys open: rotation prepends a key.
//!
//! A tag authenticates a value that is not secret and too short to be sealed, such as an identifier: HMAC with SHA-256
//! (RFC 2104) under another key of the same secret, truncated to its first bytes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::{Digest, Sha256};
use std::sync::Arc;

use crate::{Rng, Secret, TenantId};

const VERSION: u8 = 1;
const KEY_ID: usize = 4;
const NONCE: usize = 24;
const HEADER: usize = 1 + KEY_ID + NONCE;

/// The purpose of a sealed value. Kinds of values that could be mistaken for each other have different purposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purpose(pub &'static str);

/// The value was not sealed by this sealer, was changed, or was sealed for another purpose or tenant. The error does not
/// distinguish these cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value cannot be opened")]
pub struct OpenError;

/// Seals and opens values. A cheap clone around its keys.
#[derive(Clone)]
pub struct Sealer {
    keys: Arc<[SealingKey]>,
    rng: Rng,
}

struct SealingKey {
    id: [u8; KEY_ID],
    cipher: XChaCha20Poly1305,
    /// The keyed state for tags.
    tags: Hmac<Sha256>,
}

/// The length of a tag that is not truncated.
const LONGEST_TAG: usize = 32;

impl Sealer {
    /// The first secret seals, all of them open. `None` without a secret.
    pub fn new(secrets: &[Secret<String>], rng: Rng) -> Option<Self> {
        if secrets.is_empty() {
            return None;
        }
        let keys = secrets.iter().map(SealingKey::derive).collect();
        Some(Self { keys, rng })
    }

    pub fn seal(&self, purpose: Purpose, tenant: TenantId, plaintext: &[u8]) -> Vec<u8> {
        let key = &self.keys[0];
        let nonce: [u8; NONCE] = self.rng.bytes();
        let mut sealed = Vec::with_capacity(HEADER + plaintext.len() + 16);
        sealed.push(VERSION);
        sealed.extend_from_slice(&key.id);
        sealed.extend_from_slice(&nonce);
        let aad = associated_data(purpose, tenant);
        // Encryption fails only above 256 GiB; the result is then an empty value, which cannot be opened.
        let body = key.cipher.encrypt(&XNonce::from(nonce), Payload { msg: plaintext, aad: &aad }).unwrap_or_default();
        sealed.extend_from_slice(&body);
        sealed
    }

    pub fn open(&self, purpose: Purpose, tenant: TenantId, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let (header, body) = sealed.split_at_checked(HEADER).ok_or(OpenError)?;
        let (version, rest) = header.split_first().ok_or(OpenError)?;
        let (id, nonce) = rest.split_at(KEY_ID);
        if *version != VERSION {
            return Err(OpenError);
        }
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| OpenError)?;
        let key = self.keys.iter().find(|key| key.id == id).ok_or(OpenError)?;
        let aad = associated_data(purpose, tenant);
        key.cipher.decrypt(&XNonce::from(nonce), Payload { msg: body, aad: &aad }).map_err(|_| OpenError)
    }

    /// Like [`Sealer::seal`], encoded as unpadded base64url.
    pub fn seal_text(&self, purpose: Purpose, tenant: TenantId, plaintext: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(self.seal(purpose, tenant, plaintext))
    }

    /// Opens a value of [`Sealer::seal_text`].
    pub fn open_text(&self, purpose: Purpose, tenant: TenantId, sealed: &str) -> Result<Vec<u8>, OpenError> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| OpenError)?;
        self.open(purpose, tenant, &bytes)
    }

    /// The tag of a value for a purpose and a tenant. A short tag can be found by trying: `N` must suit what a forged value
    /// would allow. At most 32 bytes.
    pub fn tag<const N: usize>(&self, purpose: Purpose, tenant: TenantId, value: &[u8]) -> [u8; N] {
        const { assert!(N > 0 && N <= LONGEST_TAG) };
        let whole: [u8; LONGEST_TAG] = self.keys[0].tag(purpose, tenant, value).finalize().into_bytes().into();
        std::array::from_fn(|index| whole[index])
    }

    /// Whether `tag` was made by [`Sealer::tag`] for this value, under any of the keys. Takes the same time for every wrong tag.
    pub fn is_tagged<const N: usize>(&self, purpose: Purpose, tenant: TenantId, value: &[u8], tag: &[u8; N]) -> bool {
        const { assert!(N > 0 && N <= LONGEST_TAG) };
        self.keys.iter().any(|key| key.tag(purpose, tenant, value).verify_truncated_left(tag).is_ok())
    }

    /// Whether `sealed` was sealed under a key that is no longer the first, so that it should be sealed again when it is
    /// written.
    pub fn is_outdated(&self, sealed: &[u8]) -> bool {
        sealed.get(1..=KEY_ID).is_none_or(|id| id != self.keys[0].id)
    }

    /// Like [`Sealer::is_outdated`], for a value of [`Sealer::seal_text`].
    pub fn is_outdated_text(&self, sealed: &str) -> bool {
        URL_SAFE_NO_PAD.decode(sealed).map_or(true, |bytes| self.is_outdated(&bytes))
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl SealingKey {
    fn derive(secret: &Secret<String>) -> Self {
        let digest =
            |label: &[u8]| Sha256::new().chain_update(label).chain_update(secret.expose().as_bytes()).finalize();
        let key: [u8; 32] = digest(b"kleis sealing key\0").into();
        let id: [u8; 32] = digest(b"kleis sealing key id\0").into();
        // HMAC fills a key with zeros to the block of its hash.
        let mut tags = [0; 64];
        tags[..32].copy_from_slice(&digest(b"kleis tag key\0"));
        Self {
            id: [id[0], id[1], id[2], id[3]],
            cipher: XChaCha20Poly1305::new(&Key::from(key)),
            tags: Hmac::new(&tags.into()),
        }
    }

    fn tag(&self, purpose: Purpose, tenant: TenantId, value: &[u8]) -> Hmac<Sha256> {
        let bound_to = associated_data(purpose, tenant);
        // The length separates the purpose from the value.
        let length = u32::try_from(bound_to.len()).unwrap_or(u32::MAX).to_be_bytes();
        self.tags.clone().chain_update(length).chain_update(&bound_to).chain_update(value)
    }
}

/// Derives a secret for one purpose from another secret (HKDF with SHA-256, RFC 5869). Nodes that share the input derive the
/// same secret. Neither the input nor the secret of another purpose can be computed from it.
pub fn derive_secret(secret: &Secret<String>, purpose: Purpose) -> Secret<String> {
    let mut derived = [0; 32];
    // The only error is an output length above 255 hashes.
    let is_derived = Hkdf::<Sha256>::new(Some(b"kleis secret"), secret.expose().as_bytes())
        .expand(purpose.0.as_bytes(), &mut derived)
        .is_ok();
    debug_assert!(is_derived);
    Secret::new(URL_SAFE_NO_PAD.encode(derived))
}

fn associated_data(purpose: Purpose, tenant: TenantId) -> Vec<u8> {
    let mut data = Vec::with_capacity(5 + purpose.0.len());
    data.push(VERSION);
    data.extend_from_slice(&tenant.as_i32().to_be_bytes());
    data.extend_from_slice(purpose.0.as_bytes());
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: Purpose = Purpose("challenge");
    const COOKIE: Purpose = Purpose("cookie");

    fn sealer(secrets: &[&str]) -> Sealer {
        let secrets: Vec<_> = secrets.iter().map(|text| Secret::new((*text).to_owned())).collect();
        Sealer::new(&secrets, Rng::seeded(1)).unwrap_or_else(|| unreachable!())
    }

    #[test]
    fn a_sealed_value_opens_only_for_its_purpose_and_tenant() {
        let sealer = sealer(&["first secret"]);
        let value = sealer.seal(CHALLENGE, TenantId::DEFAULT, b"hello");
        assert_eq!(sealer.open(CHALLENGE, TenantId::DEFAULT, &value), Ok(b"hello".to_vec()));
        assert_eq!(sealer.open(COOKIE, TenantId::DEFAULT, &value), Err(OpenError));
        assert_eq!(sealer.open(CHALLENGE, TenantId::from_i32(2), &value), Err(OpenError));
    }

    #[test]
    fn any_changed_byte_and_any_shorter_value_is_refused() {
        let sealer = sealer(&["first secret"]);
        let value = sealer.seal(CHALLENGE, TenantId::DEFAULT, b"hello");
        for index in 0..value.len() {
            let mut changed = value.clone();
            changed[index] ^= 1;
            assert_eq!(sealer.open(CHALLENGE, TenantId::DEFAULT, &changed), Err(OpenError), "byte {index}");
            assert_eq!(sealer.open(CHALLENGE, TenantId::DEFAULT, &value[..index]), Err(OpenError), "length {index}");
        }
    }

    #[test]
    fn a_tag_is_valid_only_for_its_value_purpose_tenant_and_secret() {
        let first = sealer(&["first secret"]);
        let tag: [u8; 5] = first.tag(CHALLENGE, TenantId::DEFAULT, b"hello");
        assert!(first.is_tagged(CHALLENGE, TenantId::DEFAULT, b"hello", &tag));
        assert!(!first.is_tagged(CHALLENGE, TenantId::DEFAULT, b"hallo", &tag));
        assert!(!first.is_tagged(COOKIE, TenantId::DEFAULT, b"hello", &tag));
        assert!(!first.is_tagged(CHALLENGE, TenantId::from_i32(2), b"hello", &tag));
        assert!(!sealer(&["another"]).is_tagged(CHALLENGE, TenantId::DEFAULT, b"hello", &tag));
        assert!(sealer(&["another", "first secret"]).is_tagged(CHALLENGE, TenantId::DEFAULT, b"hello", &tag));
        // The end of a purpose is not the beginning of a value.
        let (short, long) = (Purpose("a"), Purpose("ab"));
        assert_ne!(first.tag::<32>(short, TenantId::DEFAULT, b"bc"), first.tag::<32>(long, TenantId::DEFAULT, b"c"));
        for index in 0..tag.len() {
            let mut changed = tag;
            changed[index] ^= 1;
            assert!(!first.is_tagged(CHALLENGE, TenantId::DEFAULT, b"hello", &changed), "byte {index}");
        }
    }

    #[test]
    fn a_derived_secret_is_deterministic_and_differs_by_purpose() {
        let secret = |text: &str| Secret::new(text.to_owned());
        let derived = |text: &str, purpose| derive_secret(&secret(text), purpose).expose().clone();
        assert_eq!(derived("a", CHALLENGE), derived("a", CHALLENGE));
        assert_eq!(derived("a", CHALLENGE).len(), 43);
        assert!(derived("a", CHALLENGE) != derived("a", COOKIE) && derived("a", CHALLENGE) != derived("b", CHALLENGE));
    }

    #[test]
    fn rotation_opens_old_values_and_marks_them() {
        let old = sealer(&["old secret"]).seal(CHALLENGE, TenantId::DEFAULT, b"hello");
        let rotated = sealer(&["new secret", "old secret"]);
        assert_eq!(rotated.open(CHALLENGE, TenantId::DEFAULT, &old), Ok(b"hello".to_vec()));
        assert!(rotated.is_outdated(&old));
        assert!(!rotated.is_outdated(&rotated.seal(CHALLENGE, TenantId::DEFAULT, b"hello")));
        assert_eq!(sealer(&["new secret"]).open(CHALLENGE, TenantId::DEFAULT, &old), Err(OpenError));
    }
}
