//! `selfservice.methods`: which proofs are offered.

use base::GoDuration;
use serde::Deserialize;

const HOUR: GoDuration = GoDuration::from_seconds(3600);

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Methods {
    pub profile: ProfileMethod,
    pub password: PasswordMethod,
    pub code: CodeMethod,
    pub link: LinkMethod,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct ProfileMethod {
    pub enabled: bool,
}

impl Default for ProfileMethod {
    fn default() -> Self {
        Self { enabled: true }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct PasswordMethod {
    pub enabled: bool,
    pub config: PasswordConfig,
}

impl Default for PasswordMethod {
    fn default() -> Self {
        Self { enabled: true, config: PasswordConfig::default() }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct PasswordConfig {
    pub haveibeenpwned_host: String,
    pub haveibeenpwned_enabled: bool,
    pub max_breaches: u64,
    pub ignore_network_errors: bool,
    pub min_password_length: usize,
    pub identifier_similarity_check_enabled: bool,
}

impl Default for PasswordConfig {
    fn default() -> Self {
        Self {
            haveibeenpwned_host: "api.pwnedpasswords.com".to_owned(),
            haveibeenpwned_enabled: true,
            max_breaches: 0,
            ignore_network_errors: true,
            min_password_length: 8,
            identifier_similarity_check_enabled: true,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct CodeMethod {
    pub enabled: bool,
    pub passwordless_enabled: bool,
    pub mfa_enabled: bool,
    pub config: CodeConfig,
}

impl Default for CodeMethod {
    fn default() -> Self {
        Self { enabled: true, passwordless_enabled: false, mfa_enabled: false, config: CodeConfig::default() }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct CodeConfig {
    pub lifespan: GoDuration,
    pub max_submissions: u32,
    pub missing_credential_fallback_enabled: bool,
}

impl Default for CodeConfig {
    fn default() -> Self {
        Self { lifespan: HOUR, max_submissions: 5, missing_credential_fallback_enabled: false }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LinkMethod {
    /// Off by default. A `false` that is written down keeps links out of the mails with recovery codes as well.
    pub enabled: Option<bool>,
    pub config: LinkConfig,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct LinkConfig {
    pub lifespan: GoDuration,
    /// What links begin with; `None` is the public address.
    pub base_url: Option<String>,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self { lifespan: HOUR, base_url: None }
    }
}
