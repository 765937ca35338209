//! Signing with reusable key objects.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::jwk::{Curve, Material};
use crate::{Algorithm, Jwk};

/// A private key for one algorithm.
pub struct SigningKey {
    kid: Option<String>,
    algorithm: Algorithm,
    pair: Pair,
    /// The encoded header with `typ: JWT`, which nearly every token has.
    jwt_header: String,
}

enum Pair {
    Rsa(rsa::KeyPair, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    #[error("the key has no private part")]
    NotPrivate,
    #[error("the key is not for signatures")]
    NotForSignatures,
    #[error("the parts of the key do not match")]
    Inconsistent,
    #[error("the claims cannot be serialized as JSON")]
    Claims,
    #[error("the crypto provider could not sign")]
    Provider,
}

#[derive(Serialize)]
struct HeaderText<'a> {
    alg: Algorithm,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    typ: &'a str,
}

impl SigningKey {
    /// A key without `alg` uses the first algorithm that fits it: RS256 for RSA.
    pub fn new(jwk: &Jwk) -> Result<Self, SignError> {
        if !jwk.is_private() {
            return Err(SignError::NotPrivate);
        }
        let algorithm = jwk.algorithms().first().copied().ok_or(SignError::NotForSignatures)?;
        let pair = build_pair(jwk, algorithm)?;
        let kid = jwk.kid.clone();
        let jwt_header = encode_header(algorithm, kid.as_deref(), "JWT")?;
        Ok(Self { kid, algorithm, pair, jwt_header })
    }

    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// A compact JWT with the header `typ: JWT`.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, SignError> {
        self.sign_with_header(self.jwt_header.clone(), claims)
    }

    /// A compact JWT whose `typ` names the type of token (RFC 8725 section 3.11).
    pub fn sign_typed(&self, typ: &str, claims: &impl Serialize) -> Result<String, SignError> {
        self.sign_with_header(encode_header(self.algorithm, self.kid(), typ)?, claims)
    }

    fn sign_with_header(&self, header: String, claims: &impl Serialize) -> Result<String, SignError> {
        let claims = serde_json::to_vec(claims).map_err(|_| SignError::Claims)?;
        let mut token = header;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = self.signature(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let rng = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &rng, message, &mut signature).map_err(|_| SignError::Provider)?;
                Ok(signature)
            }
            Pair::Ec(pair) => pair.sign(&rng, message).map(|it| it.as_ref().to_vec()).map_err(|_| SignError::Provider),
            Pair::Ed25519(pair) => {
                pair.try_sign(message).map(|it| it.as_ref().to_vec()).map_err(|_| SignError::Provider)
            }
        }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

fn encode_header(algorithm: Algorithm, kid: Option<&str>, typ: &str) -> Result<String, SignError> {
    let header = serde_json::to_vec(&HeaderText { alg: algorithm, kid, typ }).map_err(|_| SignError::Claims)?;
    Ok(URL_SAFE_NO_PAD.encode(header))
}

fn build_pair(jwk: &Jwk, algorithm: Algorithm) -> Result<Pair, SignError> {
    match &jwk.material {
        Material::Rsa { n, e, private: Some(private) } => {
            let components = rsa::KeyPairComponents {
                public_key: rsa::PublicKeyComponents { n, e },
                d: private.d.expose(),
                p: private.p.expose(),
                q: private.q.expose(),
                dP: private.dp.expose(),
                dQ: private.dq.expose(),
                qInv: private.qi.expose(),
            };
            let pair = rsa::KeyPair::from_components(&components).map_err(|_| SignError::Inconsistent)?;
            Ok(Pair::Rsa(pair, rsa_encoding(algorithm).ok_or(SignError::NotForSignatures)?))
        }
        Material::Ec { curve, x, y, d: Some(d) } => {
            let point = crate::verification::uncompressed_point(x, y);
            let pair = EcdsaKeyPair::from_private_key_and_public_key(ecdsa_signing(*curve), d.expose(), &point);
            pair.map(Pair::Ec).map_err(|_| SignError::Inconsistent)
        }
        Material::Ed25519 { x, d: Some(d) } => Ed25519KeyPair::from_seed_and_public_key(d.expose(), x)
            .map(Pair::Ed25519)
            .map_err(|_| SignError::Inconsistent),
        Material::Rsa { private: None, .. } | Material::Ec { d: None, .. } | Material::Ed25519 { d: None, .. } => {
            Err(SignError::NotPrivate)
        }
    }
}

pub(crate) fn ecdsa_signing(curve: Curve) -> &'static EcdsaSigningAlgorithm {
    match curve {
        Curve::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
        Curve::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        Curve::P521 => &ECDSA_P521_SHA512_FIXED_SIGNING,
    }
}

fn rsa_encoding(algorithm: Algorithm) -> Option<&'static dyn RsaEncoding> {
    Some(match algorithm {
        Algorithm::RS256 => &RSA_PKCS1_SHA256,
        Algorithm::RS384 => &RSA_PKCS1_SHA384,
        Algorithm::RS512 => &RSA_PKCS1_SHA512,
        Algorithm::PS256 => &RSA_PSS_SHA256,
        Algorithm::PS384 => &RSA_PSS_SHA384,
        Algorithm::PS512 => &RSA_PSS_SHA512,
        Algorithm::ES256 | Algorithm::ES384 | Algorithm::ES512 | Algorithm::EdDSA => return None,
    })
}
