//! `selfservice.methods.code`.

use base::GoDuration;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct CodeMethod {
    pub enabled: bool,
    /// Codes for signing in and up.
    pub passwordless_enabled: bool,
    /// Codes as a second factor.
    pub mfa_enabled: bool,
    pub config: CodeConfig,
}

impl Default for CodeMethod {
    fn default() -> Self {
        Self { enabled: true, passwordless_enabled: false, mfa_enabled: false, config: CodeConfig::default() }
    }
}

impl CodeMethod {
    /// Codes for recovery and verification.
    pub const fn is_enabled(&self) -> bool {
        self.enabled || self.passwordless_enabled || self.mfa_enabled
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
        Self {
            lifespan: GoDuration::from_seconds(3600),
            max_submissions: 5,
            missing_credential_fallback_enabled: false,
        }
    }
}
