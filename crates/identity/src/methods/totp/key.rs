//! The key of an authenticator app: time-based one-time passwords (RFC 6238) over HMAC (RFC 4226), with the parameters of an
//! `otpauth` URL.
//!
//! Invariants:
//! - A new key has 160 bits, SHA-1, six digits and steps of 30 seconds, which every authenticator app supports.
//! - A code is accepted one step early or late (RFC 6238 section 5.2 recommends one), so that clocks may differ.
//! - Keys of other systems keep their algorithm, digits and period. Values that no RFC allows are replaced by the defaults.

use base::{Rng, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use totp_rs::{Algorithm, Builder, Secret, Totp};
use url::Url;

use crate::domain::code::without_grouping;

use super::credential::TotpCredential;

const DIGITS: u8 = 6;
const PERIOD_SECONDS: u64 = 30;
/// How many steps a code may be early or late.
const SKEW: u16 = 1;
/// RFC 4226 section 4, R6.
const SECRET_BYTES: usize = 20;
/// The maximum length of a name in the URL, in characters, so that it fits into the QR code.
const NAME_CHARACTERS: usize = 128;

pub(super) struct Key {
    issuer: String,
    account: String,
    totp: Totp,
}

impl Key {
    pub(super) fn generate(rng: &Rng, issuer: &str, account: &str) -> Self {
        let shortened = |text: &str| text.chars().take(NAME_CHARACTERS).collect();
        let secret = rng.bytes::<SECRET_BYTES>();
        Self {
            issuer: shortened(issuer),
            account: shortened(account),
            totp: totp(Algorithm::SHA1, DIGITS, PERIOD_SECONDS, secret.to_vec().into()),
        }
    }

    /// Parses an `otpauth` URL; `None` without a usable secret.
    pub(super) fn parse(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let parameter = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value);
        let secret = Secret::try_from_base32(TotpCredential::new(url.as_str()).secret()?).ok()?;
        let algorithm = match parameter("algorithm").as_deref() {
            Some(name) if name.eq_ignore_ascii_case("SHA256") => Algorithm::SHA256,
            Some(name) if name.eq_ignore_ascii_case("SHA512") => Algorithm::SHA512,
            Some(_) | None => Algorithm::SHA1,
        };
        let digits = parameter("digits").and_then(|it| it.parse().ok()).filter(|it| (6..=8).contains(it));
        let period = parameter("period").and_then(|it| it.parse().ok()).filter(|it| (1..=3_600).contains(it));
        Some(Self {
            issuer: parameter("issuer").unwrap_or_default().into_owned(),
            account: account_of(&url),
            totp: totp(algorithm, digits.unwrap_or(DIGITS), period.unwrap_or(PERIOD_SECONDS), secret),
        })
    }

    /// The URL for an authenticator app. It contains all parameters, as in the wire contract.
    pub(super) fn url(&self) -> String {
        let issuer = utf8_percent_encode(&self.issuer, NON_ALPHANUMERIC);
        let account = utf8_percent_encode(&self.account, NON_ALPHANUMERIC);
        format!(
            "otpauth://totp/{issuer}:{account}?algorithm={}&digits={}&issuer={issuer}&period={}&secret={}",
            self.totp.algorithm().as_str(),
            self.totp.digits(),
            self.totp.step(),
            self.secret_text(),
        )
    }

    /// The secret in Base32.
    pub(super) fn secret_text(&self) -> String {
        self.totp.secret().to_base32()
    }

    /// The step of this code; `None` when the code is not valid now.
    pub(super) fn step_of(&self, code: &str, now: Timestamp) -> Option<i64> {
        let step = self.totp.check(&without_grouping(code), u64::try_from(now.unix_seconds()).ok()?)?;
        i64::try_from(step).ok()
    }
}

/// The label of the URL without its issuer.
fn account_of(url: &Url) -> String {
    let label = url.path().trim_start_matches('/');
    let account = label.rsplit_once(':').map_or(label, |(_, account)| account);
    percent_decode_str(account).decode_utf8_lossy().into_owned()
}

fn totp(algorithm: Algorithm, digits: u8, period: u64, secret: Secret) -> Totp {
    // The strict constructor rejects short secrets, which imported identities may have.
    Builder::new()
        .with_algorithm(algorithm)
        .with_digits(digits)
        .with_step_duration(period)
        .with_skew(SKEW)
        .with_secret(secret)
        .build_noncompliant()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    /// RFC 6238 appendix B: the secret is "12345678901234567890", repeated to the length of the hash.
    #[test]
    fn the_test_vectors_of_the_rfc_hold() {
        let sha1 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        let sha256 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA";
        let sha512 =
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNA";
        for (secret, algorithm, seconds, code) in [
            (sha1, "SHA1", 59, "94287082"),
            (sha256, "SHA256", 59, "46119246"),
            (sha512, "SHA512", 59, "90693936"),
            (sha1, "SHA1", 1_111_111_109, "07081804"),
            (sha256, "SHA256", 1_111_111_109, "68084774"),
            (sha512, "SHA512", 20_000_000_000, "47863826"),
        ] {
            let url = format!("otpauth://totp/x?secret={secret}&algorithm={algorithm}&digits=8&period=30");
            assert_eq!(
                Key::parse(&url).unwrap().step_of(code, at(seconds)),
                Some(seconds / 30),
                "{algorithm} {seconds}"
            );
        }
    }

    #[test]
    fn a_code_is_accepted_one_step_early_or_late() {
        let key = Key::parse("otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        // The code of step 1: seconds 30 to 59.
        let code = "287082";
        for (seconds, step) in [(0, Some(1)), (30, Some(1)), (59, Some(1)), (89, Some(1)), (90, None)] {
            assert_eq!(key.step_of(code, at(seconds)), step, "{seconds}");
        }
        for typed in [" 287 082 ", "\u{662}\u{668}\u{667}\u{660}\u{668}\u{662}", "\u{6f2}87082", "\u{ff12}87082"] {
            assert_eq!(key.step_of(typed, at(59)), Some(1), "{typed}");
        }
        for wrong in ["", "28708", "2870820", "287083", "+87082", "\u{968}87082"] {
            assert_eq!(key.step_of(wrong, at(59)), None, "{wrong}");
        }
        assert_eq!(key.step_of(code, at(-1)), None);
    }

    #[test]
    fn a_new_key_is_read_from_its_url() {
        let rng = Rng::seeded(1);
        let key = Key::generate(&rng, "Ada & Söhne", "ada@example.org");
        let url = key.url();
        assert!(
            url.starts_with(
                "otpauth://totp/Ada%20%26%20S%C3%B6hne:ada%40example%2Eorg?algorithm=SHA1&digits=6&issuer="
            )
        );
        let read = Key::parse(&url).unwrap();
        assert_eq!(read.secret_text(), key.secret_text());
        assert_eq!(read.url(), url);
        assert_eq!(key.secret_text().len(), 32, "160 bits in Base32");
        assert_ne!(Key::generate(&rng, "a", "b").secret_text(), key.secret_text());
    }

    #[test]
    fn invalid_parameters_are_replaced_or_rejected() {
        let secret = "secret=jbsw y3dp ehpk 3pxp====";
        for parameters in ["digits=0", "digits=99", "period=0", "period=99999999999999999999", "algorithm=MD5"] {
            let key = Key::parse(&format!("otpauth://totp/x?{secret}&{parameters}")).unwrap();
            assert_eq!(key.secret_text(), "JBSWY3DPEHPK3PXP");
            assert_eq!((key.totp.digits(), key.totp.step(), key.totp.algorithm().as_str()), (6, 30, "SHA1"));
        }
        for url in ["", "otpauth://totp/x", "otpauth://totp/x?secret=", "otpauth://totp/x?secret=!", "x"] {
            assert!(Key::parse(url).is_none(), "{url}");
        }
    }
}
