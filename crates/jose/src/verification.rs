//! Verification with reusable key objects.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, VerificationAlgorithm,
};

use crate::jwk::Material;
use crate::{Algorithm, Jwk, der};

/// A public key for each algorithm that fits it.
pub struct VerificationKey {
    kid: Option<String>,
    parsed: Vec<(Algorithm, ParsedPublicKey)>,
}

/// The keys that may have signed a token.
#[derive(Debug, Default)]
pub struct VerificationKeys(Vec<VerificationKey>);

impl VerificationKey {
    /// `None` for a key that cannot verify: for encryption only, or rejected by the crypto provider.
    pub fn new(jwk: &Jwk) -> Option<Self> {
        let bytes = match &jwk.material {
            Material::Rsa { n, e, .. } => der::write_integers(&[n, e]),
            Material::Ec { x, y, .. } => uncompressed_point(x, y),
            Material::Ed25519 { x, .. } => x.clone(),
        };
        let parse = |algorithm: Algorithm| {
            ParsedPublicKey::new(provider_algorithm(algorithm), &bytes).ok().map(|parsed| (algorithm, parsed))
        };
        let parsed: Vec<_> = jwk.algorithms().into_iter().filter_map(parse).collect();
        if parsed.is_empty() { None } else { Some(Self { kid: jwk.kid.clone(), parsed }) }
    }

    fn parsed_for(&self, algorithm: Algorithm) -> Option<&ParsedPublicKey> {
        self.parsed.iter().find(|(it, _)| *it == algorithm).map(|(_, parsed)| parsed)
    }
}

impl std::fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerificationKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl VerificationKeys {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is a key with this `kid`.
    pub fn contains(&self, kid: &str) -> bool {
        self.0.iter().any(|key| key.kid.as_deref() == Some(kid))
    }

    /// Whether one of the keys made this signature. A `kid` selects among the keys that have one.
    pub(crate) fn verify(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Option<bool> {
        let is_candidate = |key: &&VerificationKey| kid.is_none() || key.kid.is_none() || key.kid.as_deref() == kid;
        let mut candidates = self.0.iter().filter(is_candidate).filter_map(|key| key.parsed_for(algorithm)).peekable();
        candidates.peek()?;
        Some(candidates.any(|key| key.verify_sig(message, signature).is_ok()))
    }
}

impl<'a> FromIterator<&'a Jwk> for VerificationKeys {
    fn from_iter<I: IntoIterator<Item = &'a Jwk>>(keys: I) -> Self {
        Self(keys.into_iter().filter_map(VerificationKey::new).collect())
    }
}

/// SEC 1 section 2.3.3.
pub(crate) fn uncompressed_point(x: &[u8], y: &[u8]) -> Vec<u8> {
    let mut point = Vec::with_capacity(1 + x.len() + y.len());
    point.push(4);
    point.extend_from_slice(x);
    point.extend_from_slice(y);
    point
}

fn provider_algorithm(algorithm: Algorithm) -> &'static dyn VerificationAlgorithm {
    match algorithm {
        Algorithm::RS256 => &RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RS384 => &RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &RSA_PKCS1_2048_8192_SHA512,
        Algorithm::PS256 => &RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &RSA_PSS_2048_8192_SHA512,
        Algorithm::ES256 => &ECDSA_P256_SHA256_FIXED,
        Algorithm::ES384 => &ECDSA_P384_SHA384_FIXED,
        Algorithm::ES512 => &ECDSA_P521_SHA512_FIXED,
        Algorithm::EdDSA => &ED25519,
    }
}
