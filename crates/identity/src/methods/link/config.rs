//! `selfservice.methods.link`.

use base::GoDuration;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LinkMethod {
    /// Whether links can be sent for recovery and verification. Unset, they cannot, but the mail with a recovery code
    /// also contains a link; `false` leaves it out.
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

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LinkConfig {
    /// How long a link is valid.
    pub lifespan: GoDuration,
    /// The base URL of links. Unset, it is `serve.public.base_url`.
    pub base_url: Option<String>,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self { lifespan: GoDuration::from_seconds(3600), base_url: None }
    }
}
