//! The location of a token in a request (`token_from`): `Authorization: Bearer` unless another header, a query parameter or
//! a cookie is configured.

use http::HeaderName;
use http::header::AUTHORIZATION;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Inbound;
use crate::pipeline::settings;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenFrom {
    Bearer,
    Header(HeaderName),
    QueryParameter(String),
    Cookie(String),
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    /// The header with the token. Without any of the three keys, it is `Authorization: Bearer`.
    header: Option<String>,
    /// The query parameter with the token.
    query_parameter: Option<String>,
    /// The cookie with the token.
    cookie: Option<String>,
}

impl TokenFrom {
    pub(super) fn compile(settings: Option<Settings>) -> Result<Self, String> {
        let Settings { header, query_parameter, cookie } = settings.unwrap_or_default();
        match (header, query_parameter, cookie) {
            (None, None, None) => Ok(Self::Bearer),
            (Some(name), None, None) => {
                let name = settings::header_name(&name)?;
                Ok(if name == AUTHORIZATION { Self::Bearer } else { Self::Header(name) })
            }
            (None, Some(name), None) => Ok(Self::QueryParameter(name)),
            (None, None, Some(name)) => Ok(Self::Cookie(name)),
            _ => Err("has a `token_from` that names more than one location".to_owned()),
        }
    }

    /// The token, if it is present and not empty.
    pub(super) fn find(&self, inbound: &Inbound<'_>) -> Option<String> {
        let token = match self {
            Self::Bearer => {
                let value = inbound.headers.get(AUTHORIZATION)?.to_str().ok()?;
                let (scheme, token) = value.split_once(' ')?;
                scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())?
            }
            Self::Header(name) => only(inbound.headers.get_all(name).iter())?.to_str().ok()?.to_owned(),
            Self::QueryParameter(name) => {
                let query = inbound.target.query()?.as_bytes();
                only(url::form_urlencoded::parse(query).filter(|(its_name, _)| its_name == name))?.1.into_owned()
            }
            Self::Cookie(name) => {
                only(web::cookies::all(inbound.headers).filter(|(its_name, _)| its_name == name))?.1.to_owned()
            }
        };
        (!token.is_empty()).then_some(token)
    }
}

/// The only value: of two, the receiver of the request may take the other one.
fn only<T>(mut values: impl Iterator<Item = T>) -> Option<T> {
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fixtures::Request;
    use serde_json::json;

    fn find(settings: serde_json::Value, request: &Request) -> Option<String> {
        let settings: Option<Settings> = serde_json::from_value(settings).unwrap();
        TokenFrom::compile(settings).unwrap().find(&request.inbound())
    }

    #[test]
    fn a_token_is_read_from_the_configured_location() {
        let request = Request::get("http://h/?t=query&x=")
            .header("authorization", "bEaReR abc")
            .header("x-key", "Bearer raw")
            .header("cookie", "a=b; token=cookie");
        assert_eq!(find(json!(null), &request).as_deref(), Some("abc"));
        assert_eq!(find(json!({"header": "Authorization"}), &request).as_deref(), Some("abc"));
        assert_eq!(find(json!({"header": "X-Key"}), &request).as_deref(), Some("Bearer raw"));
        assert_eq!(find(json!({"query_parameter": "t"}), &request).as_deref(), Some("query"));
        assert_eq!(find(json!({"query_parameter": "x"}), &request), None);
        assert_eq!(find(json!({"cookie": "token"}), &request).as_deref(), Some("cookie"));
        assert_eq!(find(json!({"cookie": "none"}), &request), None);
        let twice = Request::get("http://h/").header("x-key", "a").header("x-key", "b");
        assert_eq!(find(json!({"header": "X-Key"}), &twice), None, "two values are ambiguous");
        let twice = Request::get("http://h/?t=a&t=b").header("cookie", "token=a; token=b");
        assert_eq!(find(json!({"query_parameter": "t"}), &twice), None);
        assert_eq!(find(json!({"cookie": "token"}), &twice), None);
        let basic = Request::get("http://h/").header("authorization", "Basic abc");
        assert_eq!(find(json!(null), &basic), None);
    }

    #[test]
    fn two_locations_are_rejected() {
        let settings = Settings { header: Some("a".to_owned()), cookie: Some("b".to_owned()), query_parameter: None };
        assert!(TokenFrom::compile(Some(settings)).is_err());
    }
}
