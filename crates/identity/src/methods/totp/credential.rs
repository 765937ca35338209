//! The stored shared secret of an authenticator app.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use crate::domain::factors::{FactorRules, Factors};
use crate::domain::stored_credential::{Flaw, Remainder, RemovalRefused, StoredCredential, null_as_default};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TotpCredential {
    /// An `otpauth` URL that contains the secret.
    #[serde(default, deserialize_with = "null_as_default")]
    totp_url: String,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl TotpCredential {
    pub fn new(url: impl Into<String>) -> Self {
        Self { totp_url: url.into(), rest: Map::new() }
    }

    pub fn url(&self) -> &str {
        &self.totp_url
    }

    /// The secret in Base32, without the spaces and the padding that other systems write; `None` if it is absent.
    pub fn secret(&self) -> Option<String> {
        let url = Url::parse(&self.totp_url).ok()?;
        let (_, secret) = url.query_pairs().find(|(key, _)| key == "secret")?;
        let kept = secret.chars().filter(|c| !c.is_whitespace() && *c != '=').map(|c| c.to_ascii_uppercase());
        let secret: String = kept.collect();
        let is_base32 = secret.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'));
        Some(secret).filter(|secret| secret.len() >= 2 && is_base32)
    }
}

pub(super) fn unusable_url() -> Flaw {
    Flaw::of_member("totp_url", "must be an otpauth or totp URL with a secret in Base32")
}

impl StoredCredential for TotpCredential {
    fn factors(&self, _: &[String], _: FactorRules) -> Factors {
        Factors::second(usize::from(self.secret().is_some()))
    }

    /// Without its secret the factor would count as none.
    fn check(&self) -> Result<(), Flaw> {
        self.secret().map(drop).ok_or_else(unusable_url)
    }

    fn remove(&mut self, _: &mut Vec<String>, _: Option<&str>) -> Result<Remainder, RemovalRefused> {
        Ok(Remainder::Nothing)
    }
}
