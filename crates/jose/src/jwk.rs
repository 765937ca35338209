//! JSON Web Keys and key sets (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).
//!
//! RSA of 2048 to 8192 bits, EC on the NIST curves and Ed25519. The crypto provider rejects a key whose parts do not match
//! when it becomes a [`SigningKey`](crate::SigningKey) or [`VerificationKey`](crate::VerificationKey).

use base::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::Algorithm;
use crate::der::strip_zeros;

/// A public key, or a private key with its public part.
#[derive(Clone, Debug)]
pub struct Jwk {
    pub kid: Option<String>,
    pub key_use: Option<KeyUse>,
    /// `alg` if it is a supported signature algorithm.
    pub algorithm: Option<Algorithm>,
    pub(crate) material: Material,
    /// Uninterpreted members, which are kept and returned unchanged (`x5c`, `key_ops`, an `alg` for encryption, ...).
    other: Map<String, Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    Signature,
    Encryption,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Curve {
    P256,
    P384,
    P521,
}

#[derive(Clone, Debug)]
pub(crate) enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8>, private: Option<RsaPrivate> },
    Ec { curve: Curve, x: Vec<u8>, y: Vec<u8>, d: Option<Secret<Vec<u8>>> },
    Ed25519 { x: Vec<u8>, d: Option<Secret<Vec<u8>>> },
}

#[derive(Clone, Debug)]
pub(crate) struct RsaPrivate {
    pub(crate) d: Secret<Vec<u8>>,
    pub(crate) p: Secret<Vec<u8>>,
    pub(crate) q: Secret<Vec<u8>>,
    pub(crate) dp: Secret<Vec<u8>>,
    pub(crate) dq: Secret<Vec<u8>>,
    pub(crate) qi: Secret<Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    #[error("not a JSON object")]
    NotAnObject,
    #[error("member '{0}' is missing")]
    Missing(&'static str),
    #[error("member '{0}' is malformed")]
    Malformed(&'static str),
    #[error("kty '{0}' is not supported")]
    UnsupportedType(String),
    #[error("crv '{0}' is not supported")]
    UnsupportedCurve(String),
    #[error("'alg' is not an algorithm for keys of this 'kty' and 'crv'")]
    AlgorithmMismatch,
    #[error("the RSA modulus must have 2048 to 8192 bits")]
    RsaSize,
    #[error("'keys' is missing or not a list")]
    NotASet,
    #[error("keys[{index}]: {source}")]
    InSet { index: usize, source: Box<JwkError> },
}

impl Curve {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521].into_iter().find(|curve| curve.as_str() == text)
    }

    /// The length of a coordinate (RFC 7518 section 6.2.1.2).
    pub(crate) const fn coordinate_length(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    pub(crate) const fn algorithm(self) -> Algorithm {
        match self {
            Self::P256 => Algorithm::ES256,
            Self::P384 => Algorithm::ES384,
            Self::P521 => Algorithm::ES512,
        }
    }
}

impl Jwk {
    pub(crate) fn from_material(kid: String, algorithm: Algorithm, material: Material) -> Self {
        let key_use = Some(KeyUse::Signature);
        Self { kid: Some(kid), key_use, algorithm: Some(algorithm), material, other: Map::new() }
    }

    pub fn parse(value: &Value) -> Result<Self, JwkError> {
        let members = Members(value.as_object().ok_or(JwkError::NotAnObject)?);
        let material = match members.text("kty")? {
            "RSA" => parse_rsa(&members)?,
            "EC" => parse_ec(&members)?,
            "OKP" => parse_okp(&members)?,
            other => return Err(JwkError::UnsupportedType(other.to_owned())),
        };
        let key_use = match members.optional_text("use")? {
            None | Some("") => None,
            Some("sig") => Some(KeyUse::Signature),
            Some("enc") => Some(KeyUse::Encryption),
            Some(_) => return Err(JwkError::Malformed("use")),
        };
        let alg = members.optional_text("alg")?.filter(|alg| !alg.is_empty());
        let algorithm = alg.and_then(|alg| alg.parse().ok());
        let kid = members.optional_text("kid")?.filter(|kid| !kid.is_empty()).map(str::to_owned);
        let known = |name: &str| OWN_MEMBERS.contains(&name) && (name != "alg" || algorithm.is_some());
        let other = members.0.iter().filter(|(name, _)| !known(name));
        let other = other.map(|(name, value)| (name.clone(), value.clone())).collect();
        let jwk = Self { kid, key_use, algorithm, material, other };
        if algorithm.is_some_and(|algorithm| !jwk.fits(algorithm)) {
            return Err(JwkError::AlgorithmMismatch);
        }
        Ok(jwk)
    }

    pub fn is_private(&self) -> bool {
        match &self.material {
            Material::Rsa { private, .. } => private.is_some(),
            Material::Ec { d, .. } | Material::Ed25519 { d, .. } => d.is_some(),
        }
    }

    /// The algorithms of signatures by this key. Empty for an encryption key.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        let is_for_signatures = self.key_use != Some(KeyUse::Encryption) && !self.other.contains_key("alg");
        let fits = |algorithm: &Algorithm| {
            is_for_signatures && self.fits(*algorithm) && self.algorithm.is_none_or(|own| own == *algorithm)
        };
        Algorithm::ALL.into_iter().filter(fits).collect()
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        match &self.material {
            Material::Rsa { .. } => algorithm.is_rsa(),
            Material::Ec { curve, .. } => curve.algorithm() == algorithm,
            Material::Ed25519 { .. } => algorithm == Algorithm::EdDSA,
        }
    }

    /// The key without its private part.
    #[must_use]
    pub fn to_public(&self) -> Self {
        let mut public = self.clone();
        match &mut public.material {
            Material::Rsa { private, .. } => *private = None,
            Material::Ec { d, .. } | Material::Ed25519 { d, .. } => *d = None,
        }
        public
    }

    /// JSON without private members.
    pub fn to_public_value(&self) -> Value {
        Value::Object(self.write_public())
    }

    /// JSON with the private members of a private key.
    pub fn to_private_value(&self) -> Value {
        let mut members = self.write_public();
        let mut secret = |name: &str, bytes: &Secret<Vec<u8>>| {
            members.insert(name.to_owned(), encode(bytes.expose()));
        };
        match &self.material {
            Material::Rsa { private: Some(private), .. } => {
                secret("d", &private.d);
                secret("p", &private.p);
                secret("q", &private.q);
                secret("dp", &private.dp);
                secret("dq", &private.dq);
                secret("qi", &private.qi);
            }
            Material::Ec { d: Some(d), .. } | Material::Ed25519 { d: Some(d), .. } => secret("d", d),
            Material::Rsa { private: None, .. } | Material::Ec { d: None, .. } | Material::Ed25519 { d: None, .. } => {}
        }
        Value::Object(members)
    }

    fn write_public(&self) -> Map<String, Value> {
        let mut members = Map::new();
        let mut text = |name: &str, value: &str| members.insert(name.to_owned(), Value::from(value));
        match self.key_use {
            Some(KeyUse::Signature) => text("use", "sig"),
            Some(KeyUse::Encryption) => text("use", "enc"),
            None => None,
        };
        match &self.material {
            Material::Rsa { .. } => text("kty", "RSA"),
            Material::Ec { .. } => text("kty", "EC"),
            Material::Ed25519 { .. } => text("kty", "OKP"),
        };
        if let Some(kid) = &self.kid {
            text("kid", kid);
        }
        if let Some(algorithm) = self.algorithm {
            text("alg", algorithm.as_str());
        }
        match &self.material {
            Material::Rsa { n, e, .. } => {
                members.insert("n".to_owned(), encode(n));
                members.insert("e".to_owned(), encode(e));
            }
            Material::Ec { curve, x, y, .. } => {
                members.insert("crv".to_owned(), Value::from(curve.as_str()));
                members.insert("x".to_owned(), encode(x));
                members.insert("y".to_owned(), encode(y));
            }
            Material::Ed25519 { x, .. } => {
                members.insert("crv".to_owned(), Value::from("Ed25519"));
                members.insert("x".to_owned(), encode(x));
            }
        }
        members.extend(self.other.clone());
        members
    }
}

/// Members that are parsed into fields; `oth` and `k` are private and never returned.
const OWN_MEMBERS: [&str; 17] =
    ["kty", "use", "alg", "kid", "crv", "x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi", "oth", "k"];

struct Members<'a>(&'a Map<String, Value>);

impl<'a> Members<'a> {
    fn text(&self, name: &'static str) -> Result<&'a str, JwkError> {
        self.optional_text(name)?.ok_or(JwkError::Missing(name))
    }

    fn optional_text(&self, name: &'static str) -> Result<Option<&'a str>, JwkError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(JwkError::Malformed(name)),
        }
    }

    fn bytes(&self, name: &'static str) -> Result<Vec<u8>, JwkError> {
        URL_SAFE_NO_PAD.decode(self.text(name)?).map_err(|_| JwkError::Malformed(name))
    }

    fn secret(&self, name: &'static str) -> Result<Secret<Vec<u8>>, JwkError> {
        self.bytes(name).map(Secret::new)
    }

    fn optional_secret(&self, name: &'static str) -> Result<Option<Secret<Vec<u8>>>, JwkError> {
        if self.optional_text(name)?.is_none() { Ok(None) } else { self.secret(name).map(Some) }
    }
}

fn parse_rsa(members: &Members<'_>) -> Result<Material, JwkError> {
    let n = strip_zeros(&members.bytes("n")?).to_vec();
    let e = strip_zeros(&members.bytes("e")?).to_vec();
    let leading_zeros = n.first().map_or(0, |byte| byte.leading_zeros() as usize);
    if !(2048..=8192).contains(&(n.len() * 8).saturating_sub(leading_zeros)) {
        return Err(JwkError::RsaSize);
    }
    // Odd, above 1, and small enough that verification stays cheap.
    if e.is_empty() || e.len() > 4 || e == [1] || e.last().is_some_and(|byte| byte % 2 == 0) {
        return Err(JwkError::Malformed("e"));
    }
    if members.0.contains_key("oth") {
        return Err(JwkError::Malformed("oth"));
    }
    let private = if members.optional_text("d")?.is_some() {
        let secret = |name| members.secret(name);
        Some(RsaPrivate {
            d: secret("d")?,
            p: secret("p")?,
            q: secret("q")?,
            dp: secret("dp")?,
            dq: secret("dq")?,
            qi: secret("qi")?,
        })
    } else {
        None
    };
    Ok(Material::Rsa { n, e, private })
}

fn parse_ec(members: &Members<'_>) -> Result<Material, JwkError> {
    let name = members.text("crv")?;
    let curve = Curve::parse(name).ok_or_else(|| JwkError::UnsupportedCurve(name.to_owned()))?;
    let coordinate = |name| {
        let bytes = members.bytes(name)?;
        if bytes.len() == curve.coordinate_length() { Ok(bytes) } else { Err(JwkError::Malformed(name)) }
    };
    let (x, y) = (coordinate("x")?, coordinate("y")?);
    let d = members.optional_secret("d")?;
    if d.as_ref().is_some_and(|d| d.expose().len() != curve.coordinate_length()) {
        return Err(JwkError::Malformed("d"));
    }
    Ok(Material::Ec { curve, x, y, d })
}

fn parse_okp(members: &Members<'_>) -> Result<Material, JwkError> {
    match members.text("crv")? {
        "Ed25519" => {}
        other => return Err(JwkError::UnsupportedCurve(other.to_owned())),
    }
    let x = members.bytes("x")?;
    let d = members.optional_secret("d")?;
    if x.len() != 32 {
        return Err(JwkError::Malformed("x"));
    }
    if d.as_ref().is_some_and(|d| d.expose().len() != 32) {
        return Err(JwkError::Malformed("d"));
    }
    Ok(Material::Ed25519 { x, d })
}

fn encode(bytes: &[u8]) -> Value {
    Value::from(URL_SAFE_NO_PAD.encode(bytes))
}

/// A JWK Set.
#[derive(Clone, Debug, Default)]
pub struct JwkSet {
    pub keys: Vec<Jwk>,
}

impl JwkSet {
    /// Rejects the set when a key is not supported: for keys that we store.
    pub fn parse(value: &Value) -> Result<Self, JwkError> {
        let parse =
            |(index, key)| Jwk::parse(key).map_err(|source| JwkError::InSet { index, source: Box::new(source) });
        let keys = list(value)?.iter().enumerate().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { keys })
    }

    /// Skips unsupported keys (RFC 7517 section 5): for sets that others publish.
    pub fn parse_understood(value: &Value) -> Result<Self, JwkError> {
        Ok(Self { keys: list(value)?.iter().filter_map(|key| Jwk::parse(key).ok()).collect() })
    }

    pub fn to_public_value(&self) -> Value {
        self.write(Jwk::to_public_value)
    }

    pub fn to_private_value(&self) -> Value {
        self.write(Jwk::to_private_value)
    }

    fn write(&self, write: impl FnMut(&Jwk) -> Value) -> Value {
        let keys = self.keys.iter().map(write).collect();
        Value::Object(Map::from_iter([("keys".to_owned(), Value::Array(keys))]))
    }
}

fn list(value: &Value) -> Result<&Vec<Value>, JwkError> {
    value.get("keys").and_then(Value::as_array).ok_or(JwkError::NotASet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_key_round_trips() {
        for algorithm in [Algorithm::ES256, Algorithm::ES384, Algorithm::ES512, Algorithm::EdDSA, Algorithm::RS256] {
            let key = Jwk::generate(algorithm, "k1".to_owned()).unwrap();
            let private = key.to_private_value();
            assert_eq!(Jwk::parse(&private).unwrap().to_private_value(), private);
            let public = key.to_public_value();
            assert!(public.get("d").is_none() && private.get("d").is_some(), "{algorithm}");
            assert_eq!(Jwk::parse(&public).unwrap().to_public_value(), public);
            assert!(!Jwk::parse(&public).unwrap().is_private());
        }
    }

    #[test]
    fn unsupported_keys_of_a_published_set_are_skipped() {
        let good = Jwk::generate(Algorithm::ES256, "good".to_owned()).unwrap().to_public_value();
        let set = json!({"keys": [{"kty": "oct", "k": "AAAA"}, good, {"kty": "EC", "crv": "secp256k1"}, 5]});
        assert_eq!(JwkSet::parse_understood(&set).unwrap().keys.len(), 1);
        assert!(matches!(JwkSet::parse(&set), Err(JwkError::InSet { index: 0, .. })));
        assert_eq!(JwkSet::parse(&json!({"keys": 5})).unwrap_err(), JwkError::NotASet);
    }

    #[test]
    fn short_rsa_keys_and_mismatched_algorithms_are_rejected() {
        let n = URL_SAFE_NO_PAD.encode([0xff; 128]);
        assert_eq!(Jwk::parse(&json!({"kty": "RSA", "n": n, "e": "AQAB"})).unwrap_err(), JwkError::RsaSize);
        let n = URL_SAFE_NO_PAD.encode([0xff; 256]);
        let mismatched = json!({"kty": "RSA", "n": n, "e": "AQAB", "alg": "ES256"});
        assert_eq!(Jwk::parse(&mismatched).unwrap_err(), JwkError::AlgorithmMismatch);
        let encryption = json!({"kty": "RSA", "n": n, "e": "AQAB", "alg": "RSA-OAEP"});
        assert!(Jwk::parse(&encryption).unwrap().algorithms().is_empty());
    }

    #[test]
    fn other_members_are_preserved() {
        let mut value = Jwk::generate(Algorithm::EdDSA, "k".to_owned()).unwrap().to_public_value();
        value["x5t"] = json!("abc");
        assert_eq!(Jwk::parse(&value).unwrap().to_public_value(), value);
    }
}
