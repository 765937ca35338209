//! `selfservice.methods.totp`.

use serde::Deserialize;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct TotpMethod {
    pub enabled: bool,
    pub config: TotpConfig,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct TotpConfig {
    /// What an authenticator app names the account by, beside the name of its owner; `None` is the host of the public address.
    pub issuer: Option<String>,
}
