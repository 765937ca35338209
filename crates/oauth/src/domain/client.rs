//! OAuth2 clients and their permissions (RFC 6749 section 2, RFC 7591 section 2).
//!
//! [`ClientMetadata`] holds exactly the registered values, under their registered names, both in the database and on the
//! wire. Invariants: an id never changes; only digests of secrets are stored; defaults for empty fields are applied by the
//! methods of [`Client`] and never written into the row, so that a client reads back as it was sent.

use base::{GoDuration, Timestamp, TokenDigest};
use serde::de::value::StringDeserializer;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

pub use super::client_id::{ClientId, InvalidClientId};
use super::client_secret::ClientSecretDigest;

/// A registered client.
#[derive(Clone, Debug)]
pub struct Client {
    pub id: ClientId,
    /// The current secret, then at most [`MAX_ROTATED_SECRETS`] former ones that still authenticate, newest first. Empty
    /// for clients without a secret (public clients, `private_key_jwt`).
    pub secrets: Vec<ClientSecretDigest>,
    pub metadata: ClientMetadata,
    /// The digest of the registration access token of RFC 7592.
    pub registration_token: Option<TokenDigest>,
    /// Contained in each access token without a grant: a new value invalidates them all.
    pub token_epoch: i64,
    /// Incremented by each change: an update names the version that it read.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// How many former secrets stay valid besides the current one.
pub const MAX_ROTATED_SECRETS: usize = 5;

/// How a client authenticates at the token endpoint (RFC 7591 section 2, OpenID Connect Core section 9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenEndpointAuthMethod {
    #[default]
    ClientSecretBasic,
    ClientSecretPost,
    /// Accepted as metadata only: authentication with it is rejected.
    ClientSecretJwt,
    PrivateKeyJwt,
    None,
}

impl TokenEndpointAuthMethod {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::ClientSecretJwt => "client_secret_jwt",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::None => "none",
        }
    }

    /// Whether the client sends its secret itself.
    pub fn uses_secret(self) -> bool {
        match self {
            Self::ClientSecretBasic | Self::ClientSecretPost => true,
            Self::ClientSecretJwt | Self::PrivateKeyJwt | Self::None => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessTokenStrategy {
    Jwt,
    Opaque,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectType {
    #[default]
    Public,
    Pairwise,
}

/// The registered metadata, under the names of RFC 7591 and the OpenID Connect specifications. `null` counts as absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientMetadata {
    #[serde(deserialize_with = "null_as_default")]
    pub client_name: String,
    #[serde(deserialize_with = "list_without_nulls")]
    pub redirect_uris: Vec<String>,
    #[serde(deserialize_with = "list_without_nulls")]
    pub grant_types: Vec<String>,
    #[serde(deserialize_with = "list_without_nulls")]
    pub response_types: Vec<String>,
    #[serde(deserialize_with = "null_as_default")]
    pub scope: String,
    #[serde(deserialize_with = "list_without_nulls")]
    pub audience: Vec<String>,
    #[serde(deserialize_with = "null_as_default")]
    pub owner: String,
    #[serde(deserialize_with = "null_as_default")]
    pub policy_uri: String,
    #[serde(deserialize_with = "list_without_nulls")]
    pub allowed_cors_origins: Vec<String>,
    #[serde(deserialize_with = "null_as_default")]
    pub tos_uri: String,
    #[serde(deserialize_with = "null_as_default")]
    pub client_uri: String,
    #[serde(deserialize_with = "null_as_default")]
    pub logo_uri: String,
    #[serde(deserialize_with = "list_without_nulls")]
    pub contacts: Vec<String>,
    #[serde(deserialize_with = "empty_as_default")]
    pub subject_type: SubjectType,
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub sector_identifier_uri: String,
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub jwks_uri: String,
    /// A JSON Web Key Set, or an empty object.
    #[serde(deserialize_with = "null_as_default")]
    pub jwks: serde_json::Map<String, Value>,
    #[serde(deserialize_with = "empty_as_default")]
    pub token_endpoint_auth_method: TokenEndpointAuthMethod,
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub token_endpoint_auth_signing_alg: String,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "list_without_nulls")]
    pub request_uris: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub request_object_signing_alg: String,
    #[serde(deserialize_with = "null_as_default")]
    pub userinfo_signed_response_alg: String,
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub frontchannel_logout_uri: String,
    #[serde(skip_serializing_if = "is_false", deserialize_with = "null_as_default")]
    pub frontchannel_logout_session_required: bool,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "list_without_nulls")]
    pub post_logout_redirect_uris: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub backchannel_logout_uri: String,
    #[serde(skip_serializing_if = "is_false", deserialize_with = "null_as_default")]
    pub backchannel_logout_session_required: bool,
    /// Free for the operator: any JSON, never used by this service.
    #[serde(deserialize_with = "null_as_default")]
    pub metadata: OperatorMetadata,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "strategy_or_none")]
    pub access_token_strategy: Option<AccessTokenStrategy>,
    #[serde(deserialize_with = "null_as_default")]
    pub skip_consent: bool,
    pub skip_logout_consent: Option<bool>,
    #[serde(flatten)]
    pub lifespans: ClientLifespans,
}

/// Any JSON; an empty object by default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperatorMetadata(pub Value);

impl Default for OperatorMetadata {
    fn default() -> Self {
        Self(Value::Object(serde_json::Map::new()))
    }
}

/// The token lifespans of a client, which override the configured ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientLifespans {
    #[serde(serialize_with = "as_go_writes")]
    pub authorization_code_grant_access_token_lifespan: Option<GoDuration>,
    #[serde(serialize_with = "as_go_writes")]
    pub authorization_code_grant_id_token_lifespan: Option<GoDuration>,
    #[serde(serialize_with = "as_go_writes")]
    pub authorization_code_grant_refresh_token_lifespan: Option<GoDuration>,
    #[serde(serialize_with = "as_go_writes")]
    pub client_credentials_grant_access_token_lifespan: Option<GoDuration>,
    #[serde(serialize_with = "as_go_writes")]
    pub implicit_grant_access_token_lifespan: Option<GoDuration>,
    #[serde(serialize_with = "as_go_writes")]
    pub implicit_grant_id_token_lifespan: Option<GoDuration>,
    #[serde(serialize_with = "as_go_writes")]
    pub jwt_bearer_grant_access_token_lifespan: Option<GoDuration>,
    #[serde(serialize_with = "as_go_writes")]
    pub refresh_token_grant_id_token_lifespan: Option<GoDuration>,
    #[serde(serialize_with = "as_go_writes")]
    pub refresh_token_grant_access_token_lifespan: Option<GoDuration>,
    #[serde(serialize_with = "as_go_writes")]
    pub refresh_token_grant_refresh_token_lifespan: Option<GoDuration>,
    #[serde(serialize_with = "as_go_writes")]
    pub device_authorization_grant_id_token_lifespan: Option<GoDuration>,
    #[serde(serialize_with = "as_go_writes")]
    pub device_authorization_grant_access_token_lifespan: Option<GoDuration>,
    #[serde(serialize_with = "as_go_writes")]
    pub device_authorization_grant_refresh_token_lifespan: Option<GoDuration>,
}

impl ClientMetadata {
    /// An empty list means `authorization_code` (RFC 7591 section 2).
    pub fn allows_grant_type(&self, grant_type: &str) -> bool {
        if self.grant_types.is_empty() {
            return grant_type == "authorization_code";
        }
        self.grant_types.iter().any(|registered| registered == grant_type)
    }
}

impl Client {
    /// A client that cannot keep a secret (RFC 6749 section 2.1).
    pub fn is_public(&self) -> bool {
        self.metadata.token_endpoint_auth_method == TokenEndpointAuthMethod::None
    }

    pub fn allows_grant_type(&self, grant_type: &str) -> bool {
        self.metadata.allows_grant_type(grant_type)
    }

    /// The registered response types; an empty list means `code` (RFC 7591 section 2).
    pub fn response_types(&self) -> impl Iterator<Item = &str> {
        let default = self.metadata.response_types.is_empty().then_some("code");
        self.metadata.response_types.iter().map(String::as_str).chain(default)
    }

    /// The registered scope values (RFC 6749 section 3.3).
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.metadata.scope.split(' ').filter(|scope| !scope.is_empty())
    }

    /// The display name.
    pub fn display_name(&self) -> &str {
        if self.metadata.client_name.is_empty() { self.id.as_str() } else { &self.metadata.client_name }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde requires this signature")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Hours, minutes and seconds are always written, as in Ory Hydra: `31h0m0s`.
#[expect(clippy::ref_option, reason = "serde requires this signature")]
fn as_go_writes<S: Serializer>(duration: &Option<GoDuration>, serializer: S) -> Result<S::Ok, S::Error> {
    let Some(duration) = duration else { return serializer.serialize_none() };
    let total = duration.get();
    if total.subsec_nanos() != 0 {
        return serializer.collect_str(duration);
    }
    let (hours, minutes, seconds) = (total.as_secs() / 3600, total.as_secs() / 60 % 60, total.as_secs() % 60);
    match (hours, minutes) {
        (0, 0) => serializer.collect_str(&format_args!("{seconds}s")),
        (0, _) => serializer.collect_str(&format_args!("{minutes}m{seconds}s")),
        _ => serializer.collect_str(&format_args!("{hours}h{minutes}m{seconds}s")),
    }
}

fn null_as_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Like [`null_as_default`], and a `null` item counts as absent.
fn list_without_nulls<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let items = Option::<Vec<Option<String>>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(items.into_iter().flatten().collect())
}

/// Like [`null_as_default`], and `""` counts as absent: SDKs send it for an unset value of a list.
fn empty_as_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    if text.is_empty() { Ok(T::default()) } else { T::deserialize(StringDeserializer::new(text)) }
}

/// `""` counts as absent, and letter case is ignored.
fn strategy_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<AccessTokenStrategy>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    AccessTokenStrategy::deserialize(StringDeserializer::new(text.to_ascii_lowercase())).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_items_of_lists_count_as_absent() {
        let metadata: ClientMetadata = serde_json::from_value(json!({
            "redirect_uris": ["https://a.example/cb", null], "grant_types": [null], "audience": [null, "https://api.example"],
            "post_logout_redirect_uris": [null],
        }))
        .unwrap();
        assert_eq!(metadata.redirect_uris, ["https://a.example/cb"]);
        assert_eq!(metadata.audience, ["https://api.example"]);
        assert!(metadata.grant_types.is_empty() && metadata.post_logout_redirect_uris.is_empty());
    }

    #[test]
    fn null_and_empty_values_count_as_absent() {
        let metadata: ClientMetadata = serde_json::from_value(json!({
            "grant_types": null, "subject_type": "", "access_token_strategy": "", "jwks": null, "metadata": null,
            "token_endpoint_auth_method": null, "skip_logout_consent": null,
        }))
        .unwrap();
        assert_eq!(metadata, ClientMetadata::default());
    }

    #[test]
    fn an_unknown_authentication_method_is_rejected_by_name() {
        let error = serde_json::from_value::<ClientMetadata>(json!({"token_endpoint_auth_method": "tls"})).unwrap_err();
        assert!(error.to_string().contains("client_secret_basic"), "{error}");
    }

    #[test]
    fn metadata_round_trips() {
        let metadata: ClientMetadata = serde_json::from_value(json!({
            "client_name": "shop", "redirect_uris": ["https://shop.example/cb"], "access_token_strategy": "JWT",
            "metadata": {"team": [1, 2]}, "authorization_code_grant_access_token_lifespan": "31h0m0s",
        }))
        .unwrap();
        assert_eq!(metadata.access_token_strategy, Some(AccessTokenStrategy::Jwt));
        let text = serde_json::to_string(&metadata).unwrap();
        assert_eq!(serde_json::from_str::<ClientMetadata>(&text).unwrap(), metadata);
        assert!(text.contains(r#""authorization_code_grant_access_token_lifespan":"31h0m0s""#), "{text}");
    }
}
