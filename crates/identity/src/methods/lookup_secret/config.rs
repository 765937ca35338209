//! `selfservice.methods.lookup_secret`.

use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LookupSecretMethod {
    /// Whether users can set up backup codes, and use one of them as a second factor.
    pub enabled: bool,
}
