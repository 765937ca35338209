//! Protection of browser flows against forged requests.
//!
//! The browser holds a random secret in a cookie that scripts cannot read. A form carries a token that proves two
//! things: the form was rendered for the holder of that secret, and for this flow. A token is invalid in another flow
//! or another browser. Each rendering masks it with new randomness, so that compression reveals nothing about it
//! (BREACH).

use base::Rng;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

const LENGTH: usize = 32;

/// The secret in the anti-CSRF cookie.
#[derive(Clone)]
pub struct CsrfSecret([u8; LENGTH]);

impl CsrfSecret {
    pub fn generate(rng: &Rng) -> Self {
        Self(rng.bytes())
    }

    /// Reads the value of the cookie; `None` unless it is 32 bytes of base64.
    pub fn from_cookie(value: &str) -> Option<Self> {
        STANDARD.decode(value).ok()?.try_into().ok().map(Self)
    }

    pub fn to_cookie(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// What a flow stores about the browser that it belongs to.
    pub fn fingerprint(&self) -> String {
        STANDARD.encode(Sha256::new().chain_update(b"kleis csrf fingerprint\0").chain_update(self.0).finalize())
    }

    /// A token for the forms of one flow, different each time.
    pub fn token(&self, flow: Uuid, rng: &Rng) -> String {
        let mask: [u8; LENGTH] = rng.bytes();
        let mut token = mask.to_vec();
        token.extend(self.proof(flow).iter().zip(mask).map(|(byte, mask)| byte ^ mask));
        STANDARD.encode(token)
    }

    /// Whether `token` was rendered for this browser and this flow. Compares in constant time.
    pub fn accepts(&self, token: &str, flow: Uuid) -> bool {
        let Ok(bytes) = STANDARD.decode(token) else { return false };
        let Some((mask, masked)) = bytes.split_at_checked(LENGTH) else { return false };
        if masked.len() != LENGTH {
            return false;
        }
        let proof: Vec<u8> = mask.iter().zip(masked).map(|(mask, byte)| mask ^ byte).collect();
        self.mac(flow).verify_slice(&proof).is_ok()
    }

    fn proof(&self, flow: Uuid) -> [u8; LENGTH] {
        self.mac(flow).finalize().into_bytes().into()
    }

    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    fn mac(&self, flow: Uuid) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of 32 bytes");
        mac.update(b"kleis csrf token\0");
        mac.update(flow.as_bytes());
        mac
    }
}

/// The name of the cookie. It depends on the URL, because one domain may serve several deployments.
pub fn cookie_name(public_base_url: &str) -> String {
    format!("csrf_token_{}", hex::encode(Sha256::digest(public_base_url)))
}

/// Why a request is rejected as possibly forged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CsrfViolation {
    NoCookies,
    CookieMissing,
    TokenMissing,
    Mismatch,
}

impl CsrfViolation {
    pub const fn reject_reason(self) -> &'static str {
        match self {
            Self::NoCookies => "The HTTP Cookie Header was set or did not include any cookies.",
            Self::CookieMissing => "The request has cookies, but the anti-CSRF cookie is not among them.",
            Self::TokenMissing => "The anti-CSRF cookie was found, but the request carries no CSRF token.",
            Self::Mismatch => "The CSRF token of the request does not match the anti-CSRF cookie and this flow.",
        }
    }

    pub const fn hint(self) -> &'static str {
        match self {
            Self::NoCookies => {
                "The request has no cookies. Send it with credentials, from the same site, and over HTTPS when cookies are Secure."
            }
            Self::CookieMissing => {
                "Check that the domain and path of the cookies match the URL in the browser, and that the flow was started in this browser."
            }
            Self::TokenMissing => {
                "Send the value of the node `csrf_token` with the form, or in the header X-CSRF-Token."
            }
            Self::Mismatch => {
                "The form is from another browser or another flow, or the browser signed in or out since. Start a new flow."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_fits_one_browser_and_one_flow() {
        let rng = Rng::seeded(1);
        let (mine, theirs) = (CsrfSecret::generate(&rng), CsrfSecret::generate(&rng));
        let (flow, other) = (rng.uuid(), rng.uuid());
        let token = mine.token(flow, &rng);
        assert!(mine.accepts(&token, flow));
        assert!(!mine.accepts(&token, other));
        assert!(!theirs.accepts(&token, flow));
        assert_ne!(token, mine.token(flow, &rng));
        for junk in ["", "x", "AAAA", &token[..40]] {
            assert!(!mine.accepts(junk, flow));
        }
    }

    #[test]
    fn the_secret_is_read_back_from_the_cookie() {
        let rng = Rng::seeded(2);
        let secret = CsrfSecret::generate(&rng);
        let back = CsrfSecret::from_cookie(&secret.to_cookie()).unwrap();
        assert_eq!(back.fingerprint(), secret.fingerprint());
        assert!(CsrfSecret::from_cookie("short").is_none());
    }

    #[test]
    fn the_name_depends_on_the_public_url() {
        assert_ne!(cookie_name("https://a.example/"), cookie_name("https://b.example/"));
        assert_eq!(cookie_name("x").len(), "csrf_token_".len() + 64);
    }
}
