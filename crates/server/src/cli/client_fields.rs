//! The flags that describe an OAuth 2.0 client: one for each member that the admin API accepts and that the command line of
//! Hydra has (RFC 7591 section 2, OpenID Connect Dynamic Client Registration section 2).
//!
//! Invariant: only members whose flag was given are sent, so that the server's defaults apply to a new client and an update
//! leaves all other members unchanged.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Map, Value, json};
use url::Url;

use crate::wiring::is_this_machine;

/// The members of a client. Lists take several values, separated by commas or by repeating the flag; an empty value clears the
/// list.
#[derive(Debug, Default, Args)]
pub(super) struct Fields {
    /// A JSON file with the client, - for standard input; flags overwrite its members
    #[arg(long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// The name that users see when they are asked for consent
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The client secret; generated when omitted
    #[arg(long, value_name = "SECRET")]
    secret: Option<String>,
    #[arg(
        long,
        value_name = "GRANT",
        value_delimiter = ',',
        help = "authorization_code, refresh_token, client_credentials, ... (default: authorization_code)"
    )]
    grant_type: Option<Vec<String>>,
    #[arg(long, value_name = "TYPE", value_delimiter = ',', help = "code, ... (default: code)")]
    response_type: Option<Vec<String>>,
    /// The scopes that the client may request
    #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
    scope: Option<Vec<String>>,
    /// The audiences that the client may request
    #[arg(long, value_name = "AUDIENCE", value_delimiter = ',')]
    audience: Option<Vec<String>>,
    /// The URLs to which authorization responses may be sent
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    redirect_uri: Option<Vec<String>>,
    #[arg(
        long,
        value_name = "METHOD",
        help = "client_secret_basic, client_secret_post, private_key_jwt or none (default: client_secret_basic)"
    )]
    token_endpoint_auth_method: Option<String>,
    #[arg(long, value_name = "URL", help = "The client's JSON Web Key Set, for private_key_jwt")]
    jwks_uri: Option<String>,
    #[arg(long, value_name = "STRATEGY", help = "opaque or jwt (default: as the server is configured)")]
    access_token_strategy: Option<String>,
    #[arg(long, value_name = "TYPE", help = "public or pairwise: the type of sub (default: public)")]
    subject_type: Option<String>,
    /// The file of redirect URIs whose host pairwise subjects are computed from
    #[arg(long, value_name = "URL")]
    sector_identifier_uri: Option<String>,
    /// Registered URLs of request objects
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    request_uri: Option<Vec<String>>,
    #[arg(long, value_name = "ALG", help = "The algorithm of signed request objects, for instance RS256")]
    request_object_signing_alg: Option<String>,
    /// Do not ask users for consent: for applications of your own
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    skip_consent: Option<bool>,
    /// Do not ask users to confirm a logout that this client requests
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    skip_logout_consent: Option<bool>,
    /// The URLs to which users may be redirected after logout
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    post_logout_callback: Option<Vec<String>>,
    /// The URL that receives logout tokens (OpenID Connect Back-Channel Logout)
    #[arg(long, value_name = "URL")]
    backchannel_logout_callback: Option<String>,
    /// Logout tokens carry the session id
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    backchannel_logout_session_required: Option<bool>,
    /// The URL that is loaded in a frame at logout (OpenID Connect Front-Channel Logout)
    #[arg(long, value_name = "URL")]
    frontchannel_logout_callback: Option<String>,
    /// The front-channel URL carries issuer and session id
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    frontchannel_logout_session_required: Option<bool>,
    /// The origins whose scripts may call the token endpoint as this client
    #[arg(long, value_name = "ORIGIN", value_delimiter = ',')]
    allowed_cors_origin: Option<Vec<String>>,
    /// A page about the client
    #[arg(long, value_name = "URL")]
    client_uri: Option<String>,
    /// The client's logo
    #[arg(long, value_name = "URL")]
    logo_uri: Option<String>,
    /// The client's privacy policy
    #[arg(long, value_name = "URL")]
    policy_uri: Option<String>,
    /// The client's terms of service
    #[arg(long, value_name = "URL")]
    tos_uri: Option<String>,
    /// Addresses of the people who are responsible for the client
    #[arg(long, value_name = "CONTACT", value_delimiter = ',')]
    contact: Option<Vec<String>>,
    /// The owner of the client
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,
    /// Any JSON of your own
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
}

impl Fields {
    /// The members whose flags were given.
    pub(super) fn named(&self) -> anyhow::Result<Map<String, Value>> {
        let mut members = Map::new();
        for (name, value) in [
            ("client_name", &self.name),
            ("client_secret", &self.secret),
            ("token_endpoint_auth_method", &self.token_endpoint_auth_method),
            ("jwks_uri", &self.jwks_uri),
            ("access_token_strategy", &self.access_token_strategy),
            ("subject_type", &self.subject_type),
            ("sector_identifier_uri", &self.sector_identifier_uri),
            ("request_object_signing_alg", &self.request_object_signing_alg),
            ("backchannel_logout_uri", &self.backchannel_logout_callback),
            ("frontchannel_logout_uri", &self.frontchannel_logout_callback),
            ("client_uri", &self.client_uri),
            ("logo_uri", &self.logo_uri),
            ("policy_uri", &self.policy_uri),
            ("tos_uri", &self.tos_uri),
            ("owner", &self.owner),
        ] {
            members.extend(value.as_deref().map(|value| (name.to_owned(), value.into())));
        }
        for (name, values) in [
            ("redirect_uris", &self.redirect_uri),
            ("post_logout_redirect_uris", &self.post_logout_callback),
            ("grant_types", &self.grant_type),
            ("response_types", &self.response_type),
            ("audience", &self.audience),
            ("request_uris", &self.request_uri),
            ("allowed_cors_origins", &self.allowed_cors_origin),
            ("contacts", &self.contact),
        ] {
            members.extend(values.as_deref().map(|values| (name.to_owned(), items(values).into())));
        }
        for (name, value) in [
            ("skip_consent", self.skip_consent),
            ("skip_logout_consent", self.skip_logout_consent),
            ("backchannel_logout_session_required", self.backchannel_logout_session_required),
            ("frontchannel_logout_session_required", self.frontchannel_logout_session_required),
        ] {
            members.extend(value.map(|value| (name.to_owned(), value.into())));
        }
        // RFC 7591 section 2: scopes are one string, separated by spaces.
        members.extend(self.scope.as_deref().map(|scope| ("scope".to_owned(), items(scope).join(" ").into())));
        if let Some(text) = &self.metadata {
            let metadata = serde_json::from_str(text).context("--metadata is not JSON")?;
            members.insert("metadata".to_owned(), metadata);
        }
        Ok(members)
    }

    /// The client of the file, if there is one, overwritten by the given members.
    pub(super) fn whole(&self) -> anyhow::Result<Value> {
        let mut client = match &self.file {
            Some(file) => super::identity::read(file)?,
            None => json!({}),
        };
        if let Some(object) = client.as_object_mut() {
            object.extend(self.named()?);
        }
        Ok(client)
    }
}

fn items(values: &[String]) -> Vec<&str> {
    values.iter().map(String::as_str).filter(|value| !value.is_empty()).collect()
}

/// Whether codes sent to this URI travel in clear text.
fn is_plain_http(uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|url| url.scheme() == "http" && !is_this_machine(&url))
}

/// The warning for a client that cannot work as it is registered.
pub(super) fn warning(client: &Value) -> Option<String> {
    let list = |name: &str| client.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let grants = list("grant_types");
    // An empty list stands for the authorization code (RFC 7591 section 2).
    let sends_browsers = grants.is_empty() || grants.iter().any(|it| it == "authorization_code" || it == "implicit");
    if !sends_browsers {
        return None;
    }
    if let Some(uri) = list("redirect_uris").iter().filter_map(Value::as_str).find(|uri| is_plain_http(uri)) {
        return Some(format!(
            "warning: {uri} is plain HTTP to another machine, so the sign-in refuses it unless the server runs with --dev: use https"
        ));
    }
    if !list("redirect_uris").is_empty() {
        return None;
    }
    let id = client.get("client_id").and_then(Value::as_str).unwrap_or("ID");
    Some(format!(
        "warning: this client has no redirect URI, so its authorization requests are refused. Add one:\n  kleis oauth client \
         update {id} --redirect-uri URL"
    ))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        fields: Fields,
    }

    fn named(line: &str) -> Value {
        let words = std::iter::once("x").chain(line.split(' ').filter(|word| !word.is_empty()));
        Value::Object(Line::try_parse_from(words).unwrap().fields.named().unwrap())
    }

    #[test]
    fn only_given_members_are_sent() {
        let wanted = json!({"client_name": "App", "scope": "openid email", "redirect_uris": ["https://a/cb"]});
        assert_eq!(named("--name App --scope openid,email --redirect-uri https://a/cb"), wanted);
        assert_eq!(named(""), json!({}));
        assert_eq!(named("--skip-consent --skip-logout-consent=false"), {
            json!({"skip_consent": true, "skip_logout_consent": false})
        });
        assert_eq!(named("--audience= --scope="), json!({"audience": [], "scope": ""}), "an empty value clears");
        let wrong = Line::try_parse_from(["x", "--metadata", "{"]).unwrap();
        assert_eq!(wrong.fields.named().unwrap_err().to_string(), "--metadata is not JSON");
    }

    #[test]
    fn a_code_client_without_redirect_uri_causes_a_warning() {
        let text = warning(&json!({"client_id": "a", "grant_types": ["authorization_code"], "redirect_uris": []}));
        assert!(text.unwrap().contains("kleis oauth client update a --redirect-uri URL"));
        assert!(warning(&json!({"client_id": "a"})).is_some());
        assert_eq!(warning(&json!({"redirect_uris": ["https://a/cb"]})), None);
        assert_eq!(warning(&json!({"grant_types": ["client_credentials"]})), None);
    }
}
