//! Validation of client metadata (RFC 7591 section 2, OpenID Connect Registration section 2). Creation, update, patch and
//! dynamic registration share the one function here, so that their rules cannot diverge.

use std::collections::HashSet;

use oauth_types::RedirectUri;
use url::{Host, Url};

use super::client::{AccessTokenStrategy, ClientMetadata, SubjectType, TokenEndpointAuthMethod};

/// The default scope of a client.
const DEFAULT_SCOPE: &str = "offline_access offline openid";

/// The maximum size of a client's metadata as JSON.
const MAX_METADATA_BYTES: usize = 128 * 1024;
/// The maximum number of scopes, grant types or audiences of a client.
const MAX_WORDS: usize = 2048;
/// The maximum size of an indexed string: an index entry of PostgreSQL holds 2704 bytes.
pub const MAX_INDEXED: usize = 1024;

const ASYMMETRIC_ALGORITHMS: &[&str] =
    &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

/// The configuration for clients.
#[derive(Clone, Debug, Default)]
pub struct ClientPolicy {
    /// `oidc.dynamic_client_registration.default_scope`; empty for the built-in default.
    pub default_scope: Vec<String>,
    /// Whether `oidc.subject_identifiers.supported_types` includes `pairwise` and it can be served.
    pub pairwise_supported: bool,
    /// Whether access tokens are JWTs by default.
    pub jwt_access_tokens: bool,
    /// `oauth2.grant_types_disabled`
    pub disabled_grant_types: Vec<String>,
}

/// Why a client cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct InvalidMetadata {
    pub kind: InvalidMetadataKind,
    pub field: &'static str,
    pub reason: String,
}

/// The error codes of RFC 7591 section 3.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidMetadataKind {
    RedirectUri,
    ClientMetadata,
}

/// Fills in defaults and validates every field.
pub fn validate(mut metadata: ClientMetadata, policy: &ClientPolicy) -> Result<ClientMetadata, InvalidMetadata> {
    apply_defaults(&mut metadata, policy);
    // First, so that the other checks process little data.
    let size = serde_json::to_string(&metadata).map_or(usize::MAX, |text| text.len());
    if size > MAX_METADATA_BYTES {
        return Err(invalid("metadata", format!("the client is {size} bytes long, more than {MAX_METADATA_BYTES}")));
    }
    check_redirect_uris(&metadata)?;
    check_post_logout_redirect_uris(&metadata)?;
    check_web_uris(&metadata)?;
    check_origins(&metadata)?;
    check_keys(&metadata)?;
    check_subject_type(&metadata, policy)?;
    check_algorithms(&metadata)?;
    for (field, text) in [("client_name", &metadata.client_name), ("owner", &metadata.owner)] {
        if text.len() > MAX_INDEXED {
            return Err(invalid(field, format!("must have {MAX_INDEXED} bytes or fewer")));
        }
    }
    check_words("scope", metadata.scope.split(' ').filter(|scope| !scope.is_empty()))?;
    check_words("grant_types", metadata.grant_types.iter().map(String::as_str))?;
    if metadata.audience.len() > MAX_WORDS {
        return Err(invalid("audience", format!("must have {MAX_WORDS} values or fewer")));
    }
    for response_type in &metadata.response_types {
        check_words("response_types", response_type.split(' '))?;
    }
    Ok(metadata)
}

/// Rejects a disabled grant type that the client does not have yet. `present` is the client before the change.
pub fn check_new_grant_types(
    metadata: &ClientMetadata,
    present: Option<&ClientMetadata>,
    policy: &ClientPolicy,
) -> Result<(), InvalidMetadata> {
    let added = |grant_type: &&String| {
        metadata.allows_grant_type(grant_type) && !present.is_some_and(|present| present.allows_grant_type(grant_type))
    };
    match policy.disabled_grant_types.iter().find(added) {
        Some(disabled) => {
            Err(invalid("grant_types", format!("{disabled:?} is disabled by oauth2.grant_types_disabled")))
        }
        None => Ok(()),
    }
}

fn apply_defaults(metadata: &mut ClientMetadata, policy: &ClientPolicy) {
    if metadata.scope.is_empty() {
        metadata.scope =
            if policy.default_scope.is_empty() { DEFAULT_SCOPE.to_owned() } else { policy.default_scope.join(" ") };
    }
    if metadata.userinfo_signed_response_alg.is_empty() {
        "none".clone_into(&mut metadata.userinfo_signed_response_alg);
    }
    for origin in &mut metadata.allowed_cors_origins {
        if let Some(trimmed) = origin.strip_suffix('/') {
            *origin = trimmed.to_owned();
        }
    }
}

fn check_redirect_uris(metadata: &ClientMetadata) -> Result<(), InvalidMetadata> {
    for uri in &metadata.redirect_uris {
        RedirectUri::parse(uri).map_err(|error| InvalidMetadata {
            kind: InvalidMetadataKind::RedirectUri,
            field: "redirect_uris",
            reason: format!("{uri:?}: {error}"),
        })?;
    }
    Ok(())
}

fn parse_uri(uri: &str) -> Result<Url, &'static str> {
    // URL parsers drop tabs and line ends and treat `\` as `/`: stored URIs must be unambiguous.
    if uri.bytes().any(|byte| !(0x21..=0x7e).contains(&byte) || matches!(byte, b'\\' | b'"' | b'<' | b'>')) {
        return Err("must be a URI in ASCII without spaces");
    }
    Url::parse(uri).map_err(|_| "is not an absolute URI")
}

/// The origin of a URI: scheme, host and port.
fn origin_of(url: &Url) -> (&str, Option<Host<&str>>, Option<u16>) {
    (url.scheme(), url.host(), url.port_or_known_default())
}

fn check_post_logout_redirect_uris(metadata: &ClientMetadata) -> Result<(), InvalidMetadata> {
    const FIELD: &str = "post_logout_redirect_uris";
    let redirects: Vec<_> = metadata.redirect_uris.iter().filter_map(|uri| RedirectUri::parse(uri).ok()).collect();
    let origins: HashSet<_> = redirects.iter().map(|redirect| origin_of(redirect.as_url())).collect();
    for uri in &metadata.post_logout_redirect_uris {
        let target = RedirectUri::parse(uri).map_err(|error| invalid(FIELD, format!("{uri:?}: {error}")))?;
        if !origins.contains(&origin_of(target.as_url())) {
            return Err(invalid(FIELD, format!("{uri:?} has the scheme, host and port of none of the redirect_uris")));
        }
    }
    Ok(())
}

fn check_web_uris(metadata: &ClientMetadata) -> Result<(), InvalidMetadata> {
    let single = [
        ("tos_uri", &metadata.tos_uri),
        ("policy_uri", &metadata.policy_uri),
        ("logo_uri", &metadata.logo_uri),
        ("client_uri", &metadata.client_uri),
        ("jwks_uri", &metadata.jwks_uri),
        ("sector_identifier_uri", &metadata.sector_identifier_uri),
        ("frontchannel_logout_uri", &metadata.frontchannel_logout_uri),
        ("backchannel_logout_uri", &metadata.backchannel_logout_uri),
    ];
    let many = metadata.request_uris.iter().map(|uri| ("request_uris", uri));
    for (field, uri) in single.into_iter().filter(|(_, uri)| !uri.is_empty()).chain(many) {
        let url = parse_uri(uri).map_err(|reason| invalid(field, format!("{uri:?} {reason}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid(field, format!("{uri:?} must use http or https")));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid(field, format!("{uri:?} must not have a user name or password")));
        }
        // OpenID Connect Back-Channel Logout section 2.2, Front-Channel Logout section 2.
        if field.ends_with("channel_logout_uri") && url.fragment().is_some() {
            return Err(invalid(field, format!("{uri:?} must not have a fragment")));
        }
        // OpenID Connect Registration section 5.
        if field == "sector_identifier_uri" && url.scheme() != "https" {
            return Err(invalid(field, format!("{uri:?} must use https")));
        }
    }
    Ok(())
}

fn check_origins(metadata: &ClientMetadata) -> Result<(), InvalidMetadata> {
    const FIELD: &str = "allowed_cors_origins";
    for origin in metadata.allowed_cors_origins.iter().filter(|origin| *origin != "*") {
        // A wildcard stands for host labels, which a URL parser would reject.
        let url = parse_uri(&origin.replace('*', "wildcard"))
            .map_err(|reason| invalid(FIELD, format!("{origin:?} {reason}")))?;
        let bare = matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none();
        if !bare {
            return Err(invalid(FIELD, format!("{origin:?} must be scheme://host[:port] with http or https")));
        }
    }
    Ok(())
}

fn check_keys(metadata: &ClientMetadata) -> Result<(), InvalidMetadata> {
    let has_keys = !metadata.jwks.is_empty();
    if has_keys && !metadata.jwks_uri.is_empty() {
        return Err(invalid("jwks", "jwks and jwks_uri must not both be set"));
    }
    if has_keys {
        check_key_set(metadata)?;
    }
    if metadata.token_endpoint_auth_method == TokenEndpointAuthMethod::PrivateKeyJwt {
        if !has_keys && metadata.jwks_uri.is_empty() {
            return Err(invalid("jwks", "private_key_jwt requires jwks or jwks_uri"));
        }
        let algorithm = metadata.token_endpoint_auth_signing_alg.as_str();
        if !algorithm.is_empty() && !ASYMMETRIC_ALGORITHMS.contains(&algorithm) {
            let known = ASYMMETRIC_ALGORITHMS.join(", ");
            return Err(invalid("token_endpoint_auth_signing_alg", format!("{algorithm:?} is not one of {known}")));
        }
    }
    Ok(())
}

fn check_key_set(metadata: &ClientMetadata) -> Result<(), InvalidMetadata> {
    let set = serde_json::Value::Object(metadata.jwks.clone());
    let keys = jose::JwkSet::parse(&set).map_err(|error| invalid("jwks", error.to_string()))?;
    if keys.keys.iter().any(jose::Jwk::is_private) {
        return Err(invalid("jwks", "a key contains its private part: register public keys only"));
    }
    Ok(())
}

fn check_subject_type(metadata: &ClientMetadata, policy: &ClientPolicy) -> Result<(), InvalidMetadata> {
    const FIELD: &str = "subject_type";
    if metadata.subject_type == SubjectType::Public {
        return Ok(());
    }
    if !policy.pairwise_supported {
        return Err(invalid(FIELD, "pairwise is not among the supported subject identifier types"));
    }
    let is_jwt = match metadata.access_token_strategy {
        Some(strategy) => strategy == AccessTokenStrategy::Jwt,
        None => policy.jwt_access_tokens,
    };
    if is_jwt {
        return Err(invalid(
            FIELD,
            "pairwise is not supported with JWT access tokens, which contain the subject itself",
        ));
    }
    // OpenID Connect Core section 8.1: without a sector identifier, the single host of all redirect URIs is the sector.
    if metadata.sector_identifier_uri.is_empty() {
        let redirects: Vec<_> = metadata.redirect_uris.iter().filter_map(|uri| RedirectUri::parse(uri).ok()).collect();
        let one_host = redirects.split_first().is_some_and(|(first, rest)| {
            let host = first.as_url().host();
            host.is_some() && rest.iter().all(|redirect| redirect.as_url().host() == host)
        });
        if !one_host {
            return Err(invalid(FIELD, "pairwise requires a sector_identifier_uri or redirect_uris on a single host"));
        }
    }
    Ok(())
}

fn check_algorithms(metadata: &ClientMetadata) -> Result<(), InvalidMetadata> {
    let userinfo = metadata.userinfo_signed_response_alg.as_str();
    if !matches!(userinfo, "none" | "RS256") {
        return Err(invalid("userinfo_signed_response_alg", format!("{userinfo:?} is not one of none, RS256")));
    }
    let request_object = metadata.request_object_signing_alg.as_str();
    if !matches!(request_object, "" | "none") && !ASYMMETRIC_ALGORITHMS.contains(&request_object) {
        return Err(invalid("request_object_signing_alg", format!("{request_object:?} is not supported")));
    }
    Ok(())
}

/// RFC 6749 section 3.3: `%x21 / %x23-5B / %x5D-7E`.
fn check_words<'a>(
    field: &'static str,
    mut words: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), InvalidMetadata> {
    if words.clone().take(MAX_WORDS + 1).count() > MAX_WORDS {
        return Err(invalid(field, format!("must have {MAX_WORDS} values or fewer")));
    }
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
    match words.find(|word| !is_word(word)) {
        Some(word) => Err(invalid(field, format!("{word:?} must be printable ASCII without quotes or spaces"))),
        None => Ok(()),
    }
}

fn invalid(field: &'static str, reason: impl Into<String>) -> InvalidMetadata {
    InvalidMetadata { kind: InvalidMetadataKind::ClientMetadata, field, reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(document: Value) -> Result<ClientMetadata, InvalidMetadata> {
        let policy = ClientPolicy { pairwise_supported: true, ..ClientPolicy::default() };
        validate(serde_json::from_value(document).unwrap(), &policy)
    }

    #[test]
    fn defaults_are_filled_in() {
        let metadata = check(json!({"allowed_cors_origins": ["https://a.example/"]})).unwrap();
        assert_eq!(metadata.scope, "offline_access offline openid");
        assert_eq!(metadata.userinfo_signed_response_alg, "none");
        assert_eq!(metadata.allowed_cors_origins, ["https://a.example"]);
    }

    #[test]
    fn redirect_uris_are_absolute_without_fragment_and_with_a_safe_scheme() {
        for good in ["https://a.example/cb?x=1", "http://127.0.0.1/cb", "com.example.app:/cb", "myapp://cb"] {
            assert!(check(json!({"redirect_uris": [good]})).is_ok(), "{good}");
        }
        for bad in [
            "/cb",
            "https://a.example/#x",
            "javascript:alert(1)",
            "DATA:text/html,x",
            "https://a.example/\tb",
            "https://ä.example",
        ] {
            let error = check(json!({"redirect_uris": [bad]})).unwrap_err();
            assert_eq!((error.kind, error.field), (InvalidMetadataKind::RedirectUri, "redirect_uris"), "{bad}");
        }
    }

    #[test]
    fn each_invalid_field_is_named() {
        let keys = json!({"keys": []});
        let cases = [
            (
                json!({"post_logout_redirect_uris": ["https://b.example"], "redirect_uris": ["https://a.example"]}),
                "post_logout_redirect_uris",
            ),
            (json!({"tos_uri": "ftp://a.example"}), "tos_uri"),
            (json!({"logo_uri": "javascript:alert(1)"}), "logo_uri"),
            (json!({"sector_identifier_uri": "http://a.example"}), "sector_identifier_uri"),
            (json!({"backchannel_logout_uri": "https://a.example#x"}), "backchannel_logout_uri"),
            (json!({"allowed_cors_origins": ["https://a.example/path"]}), "allowed_cors_origins"),
            (json!({"jwks": keys, "jwks_uri": "https://a.example"}), "jwks"),
            (json!({"token_endpoint_auth_method": "private_key_jwt"}), "jwks"),
            (
                json!({"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://a.example",
                "token_endpoint_auth_signing_alg": "HS256"}),
                "token_endpoint_auth_signing_alg",
            ),
            (json!({"userinfo_signed_response_alg": "HS256"}), "userinfo_signed_response_alg"),
            (json!({"request_object_signing_alg": "HS256"}), "request_object_signing_alg"),
            (json!({"subject_type": "pairwise"}), "subject_type"),
            (
                json!({"subject_type": "pairwise", "access_token_strategy": "jwt", "redirect_uris": ["https://a.example"]}),
                "subject_type",
            ),
            (
                json!({"subject_type": "pairwise", "redirect_uris": ["https://a.example", "https://b.example"]}),
                "subject_type",
            ),
            (json!({"scope": "a\"b"}), "scope"),
            (json!({"response_types": [""]}), "response_types"),
            (json!({"metadata": {"x": "y".repeat(MAX_METADATA_BYTES)}}), "metadata"),
            (json!({"client_name": "x".repeat(MAX_INDEXED + 1)}), "client_name"),
            (json!({"owner": "x".repeat(MAX_INDEXED + 1)}), "owner"),
        ];
        for (document, field) in cases {
            let error = check(document.clone()).unwrap_err();
            assert_eq!((error.kind, error.field), (InvalidMetadataKind::ClientMetadata, field), "{document} {error}");
        }
    }

    #[test]
    fn wildcard_origins_and_a_lone_star_are_allowed() {
        assert!(
            check(json!({"allowed_cors_origins": ["*", "https://*.example.com", "http://localhost:3000"]})).is_ok()
        );
    }

    #[test]
    fn pairwise_is_rejected_unless_configured() {
        let document = json!({"subject_type": "pairwise", "redirect_uris": ["https://a.example"]});
        assert!(check(document.clone()).is_ok());
        let error = validate(serde_json::from_value(document).unwrap(), &ClientPolicy::default()).unwrap_err();
        assert_eq!(error.field, "subject_type");
    }
}
