//! Key generation. The crypto provider uses its own randomness: keys must not come from a repeatable stream.

use aws_lc_rs::encoding::{AsBigEndian, AsDer, Curve25519SeedBin, EcPrivateKeyBin, Pkcs8V1Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use base::Secret;

use crate::der;
use crate::jwk::{Curve, Material, RsaPrivate};
use crate::signing::ecdsa_signing;
use crate::{Algorithm, Jwk};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the crypto provider could not generate a key")]
pub struct GenerateError;

impl From<Unspecified> for GenerateError {
    fn from(_: Unspecified) -> Self {
        Self
    }
}

impl Jwk {
    /// A new private key for signatures. RSA keys have 2048 bits: strong enough for tokens that live for hours, and eight
    /// times faster to sign with than 4096. Generating one takes a tenth of a second: never do it while handling a request.
    pub fn generate(algorithm: Algorithm, kid: String) -> Result<Self, GenerateError> {
        let material = match algorithm {
            Algorithm::ES256 => generate_ec(Curve::P256)?,
            Algorithm::ES384 => generate_ec(Curve::P384)?,
            Algorithm::ES512 => generate_ec(Curve::P521)?,
            Algorithm::EdDSA => generate_ed25519()?,
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512 => generate_rsa()?,
        };
        Ok(Self::from_material(kid, algorithm, material))
    }
}

fn generate_rsa() -> Result<Material, GenerateError> {
    let pair = rsa::KeyPair::generate(KeySize::Rsa2048)?;
    let document: Pkcs8V1Der<'_> = pair.as_der()?;
    let integers = der::read_pkcs8_rsa(document.as_ref()).ok_or(GenerateError)?;
    // RFC 8017 appendix A.1.2: the order of the integers.
    let [modulus, exponent, secrets @ ..] = <[Vec<u8>; 8]>::try_from(integers).map_err(|_| GenerateError)?;
    let [d, p, q, dp, dq, qi] = secrets.map(Secret::new);
    Ok(Material::Rsa { n: modulus, e: exponent, private: Some(RsaPrivate { d, p, q, dp, dq, qi }) })
}

fn generate_ec(curve: Curve) -> Result<Material, GenerateError> {
    let pair = EcdsaKeyPair::generate(ecdsa_signing(curve))?;
    let d: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes()?;
    // An uncompressed point: a byte 4, then the two coordinates (SEC 1 section 2.3.3).
    let point = pair.public_key().as_ref().get(1..).ok_or(GenerateError)?;
    let (x, y) = point.split_at_checked(curve.coordinate_length()).ok_or(GenerateError)?;
    Ok(Material::Ec { curve, x: x.to_vec(), y: y.to_vec(), d: Some(Secret::new(d.as_ref().to_vec())) })
}

fn generate_ed25519() -> Result<Material, GenerateError> {
    let pair = Ed25519KeyPair::generate()?;
    let seed: Curve25519SeedBin<'_> = pair.seed()?.as_be_bytes()?;
    Ok(Material::Ed25519 { x: pair.public_key().as_ref().to_vec(), d: Some(Secret::new(seed.as_ref().to_vec())) })
}
