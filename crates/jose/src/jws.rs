//! Compact signatures (RFC 7515 section 7.1), parsed strictly: three parts of canonical base64url without padding, and a
//! header with unique names.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Algorithm, VerificationKeys};

/// Longer tokens are rejected without parsing.
const MAX_LENGTH: usize = 64 * 1024;

/// The supported members of a protected header.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Header {
    pub alg: String,
    #[serde(default)]
    pub kid: Option<String>,
    #[serde(default)]
    pub typ: Option<String>,
    #[serde(default)]
    crit: Option<Value>,
}

/// A parsed token whose signature is not verified yet.
#[derive(Debug)]
pub struct Jws<'a> {
    header: Header,
    signing_input: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// A payload with a verified signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedJws {
    pub header: Header,
    pub algorithm: Algorithm,
    pub payload: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedJws {
    #[error("the token is too long")]
    TooLong,
    #[error("the token does not have three parts")]
    Parts,
    #[error("a part of the token is not base64url")]
    Base64,
    #[error("the header is not a JSON object with a text 'alg'")]
    Header,
    #[error("the header requires extensions that are not supported")]
    CriticalExtensions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    #[error("the algorithm is not allowed")]
    AlgorithmNotAllowed,
    #[error("no key matches the token")]
    NoKey,
    #[error("the signature does not match")]
    SignatureMismatch,
}

impl<'a> Jws<'a> {
    pub fn parse(token: &'a str) -> Result<Self, MalformedJws> {
        if token.len() > MAX_LENGTH {
            return Err(MalformedJws::TooLong);
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(MalformedJws::Parts)?;
        let (header, payload) = signing_input.split_once('.').ok_or(MalformedJws::Parts)?;
        if payload.contains('.') {
            return Err(MalformedJws::Parts);
        }
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| MalformedJws::Base64);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| MalformedJws::Header)?;
        if header.crit.is_some() {
            return Err(MalformedJws::CriticalExtensions);
        }
        Ok(Self { header, signing_input, payload: decode(payload)?, signature: decode(signature)? })
    }

    /// The unverified header, for selecting keys.
    pub fn unverified_header(&self) -> &Header {
        &self.header
    }

    /// The unverified claims, for selecting the issuer of the keys.
    pub fn unverified_claims<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.payload).ok()
    }

    pub fn verify(self, keys: &VerificationKeys, allowed: &[Algorithm]) -> Result<VerifiedJws, VerifyError> {
        let algorithm: Algorithm = self.header.alg.parse().map_err(|_| VerifyError::AlgorithmNotAllowed)?;
        if !allowed.contains(&algorithm) {
            return Err(VerifyError::AlgorithmNotAllowed);
        }
        match keys.verify(self.header.kid.as_deref(), algorithm, self.signing_input.as_bytes(), &self.signature) {
            Some(true) => Ok(VerifiedJws { header: self.header, algorithm, payload: self.payload }),
            Some(false) => Err(VerifyError::SignatureMismatch),
            None => Err(VerifyError::NoKey),
        }
    }
}

impl VerifiedJws {
    /// The claims of a JWT: `None` when the payload is something else.
    pub fn claims<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.payload).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;
    use crate::{Jwk, SigningKey};

    fn encode(text: &str) -> String {
        URL_SAFE_NO_PAD.encode(text)
    }

    fn keys(jwks: &[Jwk]) -> VerificationKeys {
        jwks.iter().collect()
    }

    #[test]
    fn every_algorithm_signs_and_verifies() {
        for algorithm in Algorithm::ALL {
            let jwk = Jwk::generate(algorithm, "k".to_owned()).unwrap();
            let token = SigningKey::new(&jwk).unwrap().sign(&json!({"sub": "alice"})).unwrap();
            let public = Jwk::parse(&jwk.to_public_value()).unwrap();
            let verified = Jws::parse(&token).unwrap().verify(&keys(&[public]), &Algorithm::ALL).unwrap();
            assert_eq!(verified.algorithm, algorithm);
            assert_eq!(verified.claims::<Map<String, Value>>().unwrap()["sub"], "alice");
            let others: Vec<_> = Algorithm::ALL.into_iter().filter(|it| *it != algorithm).collect();
            let refused = Jws::parse(&token).unwrap().verify(&keys(&[jwk]), &others);
            assert_eq!(refused, Err(VerifyError::AlgorithmNotAllowed));
        }
    }

    #[test]
    fn the_key_decides_the_algorithm() {
        let ps = Jwk::generate(Algorithm::PS256, "k".to_owned()).unwrap();
        let token = SigningKey::new(&ps).unwrap().sign(&json!({})).unwrap();
        let mut public = ps.to_public_value();
        public["alg"] = json!("RS256");
        let as_rs = Jwk::parse(&public).unwrap();
        let result = Jws::parse(&token).unwrap().verify(&keys(&[as_rs]), &Algorithm::ALL);
        assert_eq!(result, Err(VerifyError::NoKey));
    }

    #[test]
    fn unsigned_and_symmetric_tokens_are_rejected() {
        let key = Jwk::generate(Algorithm::ES256, "k".to_owned()).unwrap();
        for header in [r#"{"alg":"none"}"#, r#"{"alg":"HS256"}"#, r#"{"alg":"None"}"#, r#"{"alg":""}"#] {
            let token = format!("{}.{}.", encode(header), encode("{}"));
            let result = Jws::parse(&token).unwrap().verify(&keys(std::slice::from_ref(&key)), &Algorithm::ALL);
            assert_eq!(result, Err(VerifyError::AlgorithmNotAllowed), "{header}");
        }
    }

    #[test]
    fn the_kid_selects_the_key_and_an_unknown_one_matches_none() {
        let one = Jwk::generate(Algorithm::EdDSA, "one".to_owned()).unwrap();
        let two = Jwk::generate(Algorithm::EdDSA, "two".to_owned()).unwrap();
        let token = SigningKey::new(&two).unwrap().sign(&json!({})).unwrap();
        let verify = |jwks: &[Jwk]| Jws::parse(&token).unwrap().verify(&keys(jwks), &Algorithm::ALL).map(|_| ());
        assert_eq!(verify(&[one.clone(), two]), Ok(()));
        assert_eq!(verify(std::slice::from_ref(&one)), Err(VerifyError::NoKey));
        let mut renamed = one;
        renamed.kid = Some("two".to_owned());
        assert_eq!(verify(&[renamed]), Err(VerifyError::SignatureMismatch));
    }

    #[test]
    fn malformed_tokens_have_specific_errors() {
        let header = encode(r#"{"alg":"ES256"}"#);
        assert_eq!(Jws::parse("a.b").unwrap_err(), MalformedJws::Parts);
        assert_eq!(Jws::parse(&format!("{header}.e30.a.b")).unwrap_err(), MalformedJws::Parts);
        assert_eq!(Jws::parse(&format!("{header}.e30=.aa")).unwrap_err(), MalformedJws::Base64);
        assert_eq!(Jws::parse(&format!("{}.e30.aa", encode("[]"))).unwrap_err(), MalformedJws::Header);
        let repeated = encode(r#"{"alg":"ES256","alg":"none"}"#);
        assert_eq!(Jws::parse(&format!("{repeated}.e30.aa")).unwrap_err(), MalformedJws::Header);
        let critical = encode(r#"{"alg":"ES256","crit":["b64"],"b64":false}"#);
        assert_eq!(Jws::parse(&format!("{critical}.e30.aa")).unwrap_err(), MalformedJws::CriticalExtensions);
        assert_eq!(Jws::parse(&"a".repeat(MAX_LENGTH + 1)).unwrap_err(), MalformedJws::TooLong);
    }

    #[test]
    fn the_example_of_rfc_8037_appendix_a_4_verifies() {
        let public = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
                     hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let keys = keys(&[Jwk::parse(&public).unwrap()]);
        let verified = Jws::parse(token).unwrap().verify(&keys, &[Algorithm::EdDSA]).unwrap();
        assert_eq!(verified.payload, b"Example of Ed25519 signing");
    }

    proptest! {
        #[test]
        fn no_text_panics(token in "\\PC{0,80}", header in "\\PC{0,40}") {
            let _ = Jws::parse(&token);
            let _ = Jws::parse(&format!("{}.e30.aa", encode(&header)));
        }

        #[test]
        fn any_changed_character_is_detected(position in 0_usize..1000, replacement in "[A-Za-z0-9_-]") {
            let jwk = Jwk::generate(Algorithm::EdDSA, "k".to_owned()).unwrap();
            let token = SigningKey::new(&jwk).unwrap().sign(&json!({"sub": "alice", "admin": false})).unwrap();
            let position = position % token.len();
            let mut changed = token.clone();
            changed.replace_range(position..=position, &replacement);
            let verifies = Jws::parse(&changed)
                .is_ok_and(|jws| jws.verify(&keys(&[jwk]), &Algorithm::ALL).is_ok());
            prop_assert_eq!(verifies, changed == token);
        }
    }
}
