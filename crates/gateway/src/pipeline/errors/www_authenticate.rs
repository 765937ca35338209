//! `www_authenticate`: challenges the browser for Basic credentials (RFC 7617).

use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Definition, FailedRequest, Form};
use crate::domain::failure::Failure;
use crate::pipeline::settings;

pub(super) const HANDLER: Definition<dyn Form, ()> =
    Definition::new::<Settings>("www_authenticate", |settings, ()| Ok(Box::new(WwwAuthenticate::compile(settings)?)));

#[derive(Debug)]
struct WwwAuthenticate {
    challenge: HeaderValue,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// The realm of the challenge. An empty one is `Please authenticate.`
    realm: String,
}

impl WwwAuthenticate {
    fn compile(settings: Value) -> Result<Self, String> {
        let Settings { realm } = settings::read(settings)?;
        let realm = if realm.is_empty() { "Please authenticate." } else { &realm };
        let challenge = HeaderValue::from_str(&format!("Basic realm={}", quoted(realm)))
            .map_err(|_| "has a `realm` that is not a valid header value".to_owned())?;
        Ok(Self { challenge })
    }

    /// The status is 401 for every failure.
    fn response(&self) -> Response<String> {
        let mut response = Response::new("Unauthorized\n".to_owned());
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        response.headers_mut().insert(WWW_AUTHENTICATE, self.challenge.clone());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response
    }
}

impl Form for WwwAuthenticate {
    fn answer(&self, _: &Failure, _: FailedRequest<'_>) -> Response<String> {
        self.response()
    }
}

/// RFC 9110 section 11.5: a realm is a quoted string. A configured value with quotation marks is used as it is.
fn quoted(realm: &str) -> String {
    if realm.len() >= 2 && realm.starts_with('"') && realm.ends_with('"') {
        return realm.to_owned();
    }
    format!("\"{}\"", realm.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_challenge_names_the_realm() {
        let challenge = |settings: Value| {
            WwwAuthenticate::compile(settings).unwrap().response().headers()[WWW_AUTHENTICATE].clone()
        };
        assert_eq!(challenge(json!({})), "Basic realm=\"Please authenticate.\"");
        assert_eq!(challenge(json!({"realm": "staff"})), "Basic realm=\"staff\"");
        assert_eq!(challenge(json!({"realm": "the \"staff\" \\"})), r#"Basic realm="the \"staff\" \\""#);
        assert_eq!(challenge(json!({"realm": "\"staff only\""})), "Basic realm=\"staff only\"");
        assert!(WwwAuthenticate::compile(json!({"realm": "a\nb"})).is_err());
    }
}
