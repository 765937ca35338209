//! The discovery document (OpenID Connect Discovery section 3, RFC 8414 section 2).
//!
//! It has the members that Ory Hydra publishes, as far as they are supported, and three more that specifications require:
//! `token_endpoint_auth_signing_alg_values_supported` (RFC 8414 section 2, for `private_key_jwt`),
//! `prompt_values_supported` (Initiating User Registration section 4, for `create`) and
//! `authorization_response_iss_parameter_supported` (RFC 9207 section 3).

use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the document has that many")]
pub struct ProviderMetadata {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub jwks_uri: String,
    pub userinfo_endpoint: String,
    pub revocation_endpoint: String,
    pub end_session_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<String>,
    pub subject_types_supported: Vec<String>,
    pub response_types_supported: Vec<String>,
    pub response_modes_supported: Vec<String>,
    pub grant_types_supported: Vec<String>,
    pub claims_supported: Vec<String>,
    pub scopes_supported: Vec<String>,
    pub prompt_values_supported: Vec<String>,
    pub token_endpoint_auth_methods_supported: Vec<String>,
    pub token_endpoint_auth_signing_alg_values_supported: Vec<String>,
    pub id_token_signing_alg_values_supported: Vec<String>,
    /// Not registered, but used by clients of Ory Hydra.
    pub id_token_signed_response_alg: Vec<String>,
    /// As above.
    pub userinfo_signed_response_alg: Vec<String>,
    pub userinfo_signing_alg_values_supported: Vec<String>,
    pub request_parameter_supported: bool,
    pub request_uri_parameter_supported: bool,
    pub require_request_uri_registration: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request_object_signing_alg_values_supported: Vec<String>,
    pub claims_parameter_supported: bool,
    pub code_challenge_methods_supported: Vec<String>,
    pub backchannel_logout_supported: bool,
    pub backchannel_logout_session_supported: bool,
    pub frontchannel_logout_supported: bool,
    pub frontchannel_logout_session_supported: bool,
    pub authorization_response_iss_parameter_supported: bool,
}
