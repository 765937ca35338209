//! `selfservice.methods`: which proofs are offered.

use base::GoDuration;
use schemars::JsonSchema;
use serde::Deserialize;

const HOUR: GoDuration = GoDuration::from_seconds(3600);

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Methods {
    pub profile: ProfileMethod,
    pub password: PasswordMethod,
    pub code: CodeMethod,
    pub link: LinkMethod,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ProfileMethod {
    /// Whether people can change their profile.
    pub enabled: bool,
}

impl Default for ProfileMethod {
    fn default() -> Self {
        Self { enabled: true }
    }
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PasswordMethod {
    /// Whether people can sign in with a password.
    pub enabled: bool,
    pub config: PasswordConfig,
}

impl Default for PasswordMethod {
    fn default() -> Self {
        Self { enabled: true, config: PasswordConfig::default() }
    }
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PasswordConfig {
    /// The host of the service that knows leaked passwords.
    pub haveibeenpwned_host: String,
    /// Whether new passwords are compared with leaked ones. Only the first five characters of the hash are sent.
    pub haveibeenpwned_enabled: bool,
    /// In how many leaks a password may occur.
    pub max_breaches: u64,
    /// Whether a password is accepted when the service cannot be reached.
    pub ignore_network_errors: bool,
    /// The least number of characters of a password.
    pub min_password_length: usize,
    /// Whether passwords that resemble the identifier are refused.
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

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CodeMethod {
    /// Whether codes are sent for recovery and verification.
    pub enabled: bool,
    /// Whether people can sign in with a code alone. It excludes `mfa_enabled`.
    pub passwordless_enabled: bool,
    /// Whether a code counts as a second factor.
    pub mfa_enabled: bool,
    pub config: CodeConfig,
}

impl Default for CodeMethod {
    fn default() -> Self {
        Self { enabled: true, passwordless_enabled: false, mfa_enabled: false, config: CodeConfig::default() }
    }
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CodeConfig {
    /// How long a code is valid.
    pub lifespan: GoDuration,
    /// How often a wrong code can be submitted to one flow.
    pub max_submissions: u32,
    /// Whether people without a code credential can sign in by a code that is sent to an address of theirs.
    pub missing_credential_fallback_enabled: bool,
}

impl Default for CodeConfig {
    fn default() -> Self {
        Self { lifespan: HOUR, max_submissions: 5, missing_credential_fallback_enabled: false }
    }
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LinkMethod {
    /// Whether links can be sent for recovery and verification. Unset, they cannot, but the mail with a recovery code
    /// also contains a link; `false` leaves it out.
    pub enabled: Option<bool>,
    pub config: LinkConfig,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LinkConfig {
    /// How long a link is valid.
    pub lifespan: GoDuration,
    /// What links begin with. Unset, it is `serve.public.base_url`.
    pub base_url: Option<String>,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self { lifespan: HOUR, base_url: None }
    }
}
