//! `selfservice.methods.link`.

use base::GoDuration;
use serde::Deserialize;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LinkMethod {
    /// Off by default. A `false` that is written down keeps links out of the mails with recovery codes as well.
    pub enabled: Option<bool>,
    pub config: LinkConfig,
}

impl LinkMethod {
    /// Links for recovery and verification.
    pub fn is_enabled(&self) -> bool {
        self.enabled == Some(true)
    }

    /// Whether a mail with a recovery code holds a link as well.
    pub fn is_beside_recovery_code(&self) -> bool {
        self.enabled != Some(false)
    }
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
        Self { lifespan: GoDuration::from_seconds(3600), base_url: None }
    }
}
