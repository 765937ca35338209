//! `selfservice.methods.password`.

use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PasswordMethod {
    /// Whether users can sign in with a password.
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
    /// The host of the service that lists leaked passwords.
    pub haveibeenpwned_host: String,
    /// Whether new passwords are compared with leaked ones. Only the first five characters of the hash are sent.
    pub haveibeenpwned_enabled: bool,
    /// The maximum number of leaks that may contain a password.
    pub max_breaches: u64,
    /// Whether a password is accepted when the service cannot be reached.
    pub ignore_network_errors: bool,
    /// The minimum number of characters of a password.
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
