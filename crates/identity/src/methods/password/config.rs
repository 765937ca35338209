//! `selfservice.methods.password`.

use serde::Deserialize;

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
