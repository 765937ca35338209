//! `selfservice.methods.totp`.

use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TotpMethod {
    /// Whether users can set up an authenticator app, and use its codes as a second factor.
    pub enabled: bool,
    pub config: TotpConfig,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TotpConfig {
    /// The name of this service in authenticator apps. Unset, it is the host of `serve.public.base_url`.
    pub issuer: Option<String>,
}
