//! `selfservice.methods.profile`.

use serde::Deserialize;

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
