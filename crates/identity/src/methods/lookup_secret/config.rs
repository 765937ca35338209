//! `selfservice.methods.lookup_secret`.

use serde::Deserialize;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LookupSecretMethod {
    pub enabled: bool,
}
