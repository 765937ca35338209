//! `selfservice.methods.profile`.

use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ProfileMethod {
    /// Whether users can change their profile.
    pub enabled: bool,
}

impl Default for ProfileMethod {
    fn default() -> Self {
        Self { enabled: true }
    }
}
