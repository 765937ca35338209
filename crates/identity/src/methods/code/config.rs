//! `selfservice.methods.code`.

use base::GoDuration;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CodeMethod {
    /// Whether codes are sent for recovery and verification.
    pub enabled: bool,
    /// Whether users can sign in with a code alone. It excludes `mfa_enabled`.
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

impl CodeMethod {
    /// Codes for recovery and verification.
    pub const fn is_enabled(&self) -> bool {
        self.enabled || self.passwordless_enabled || self.mfa_enabled
    }
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CodeConfig {
    /// How long a code is valid.
    pub lifespan: GoDuration,
    /// The maximum number of wrong codes that can be submitted to one flow.
    pub max_submissions: u32,
    /// Whether users without a code credential can sign in by a code that is sent to an address of theirs.
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
