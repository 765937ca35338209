//! Proof Key for Code Exchange (RFC 7636), with `S256` only (RFC 9700 section 2.1.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A `code_challenge`: the digest of a verifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeChallenge([u8; 32]);

/// A `code_verifier`: between 43 and 128 unreserved characters.
#[derive(Clone)]
pub struct CodeVerifier(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PkceError {
    #[error("the code_challenge_method must be 'S256'")]
    Method,
    #[error("the code_challenge must be the base64url of a SHA-256 digest")]
    Challenge,
    #[error("the code_verifier must be 43 to 128 characters of A-Z, a-z, 0-9, '-', '.', '_', '~'")]
    Verifier,
}

impl CodeChallenge {
    /// Parses the two parameters of an authorization request. A missing method would mean `plain`, which is rejected.
    pub fn parse(challenge: &str, method: Option<&str>) -> Result<Self, PkceError> {
        if method != Some("S256") {
            return Err(PkceError::Method);
        }
        Self::from_text(challenge)
    }

    /// Parses a challenge that was validated before.
    pub fn from_text(challenge: &str) -> Result<Self, PkceError> {
        let bytes = URL_SAFE_NO_PAD.decode(challenge).map_err(|_| PkceError::Challenge)?;
        bytes.try_into().map(Self).map_err(|_| PkceError::Challenge)
    }

    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// RFC 7636 section 4.6.
    pub fn is_proved_by(&self, verifier: &CodeVerifier) -> bool {
        Sha256::digest(verifier.0.as_bytes()).as_slice().ct_eq(&self.0).into()
    }
}

impl CodeVerifier {
    pub fn parse(text: &str) -> Result<Self, PkceError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if (43..=128).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PkceError::Verifier)
        }
    }

    pub fn challenge(&self) -> CodeChallenge {
        CodeChallenge(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl std::fmt::Debug for CodeVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeVerifier")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_rfc_7636_appendix_b_matches() {
        let verifier = CodeVerifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
        let challenge = CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", Some("S256")).unwrap();
        assert!(challenge.is_proved_by(&verifier));
    }

    #[test]
    fn plain_is_refused() {
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert_eq!(CodeChallenge::parse(challenge, Some("plain")), Err(PkceError::Method));
        assert_eq!(CodeChallenge::parse(challenge, None), Err(PkceError::Method));
        assert_eq!(CodeChallenge::parse("short", Some("S256")), Err(PkceError::Challenge));
    }

    proptest! {
        #[test]
        fn only_the_right_verifier_matches_its_challenge(one in "[A-Za-z0-9._~-]{43,128}", two in "[A-Za-z0-9._~-]{43,128}") {
            let (one, two) = (CodeVerifier::parse(&one).unwrap(), CodeVerifier::parse(&two).unwrap());
            let challenge = CodeChallenge::from_text(&one.challenge().to_text()).unwrap();
            prop_assert!(challenge.is_proved_by(&one));
            prop_assert_eq!(challenge.is_proved_by(&two), one.0 == two.0);
        }
    }
}
