//! `redirect`: redirects the browser, for instance to a login page, with the original URL as a parameter.

use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Response, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{Definition, FailedRequest, Form};
use crate::domain::failure::Failure;
use crate::pipeline::settings;

pub(super) const HANDLER: Definition<dyn Form, ()> =
    Definition::new::<Settings>("redirect", |settings, ()| Ok(Box::new(Redirect::compile(settings)?)));

#[derive(Debug)]
struct Redirect {
    to: String,
    status: StatusCode,
    return_to_query_param: String,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// Where the browser is redirected.
    to: String,
    /// The status of the redirect, 301 or 302. Anything but 301 is 302.
    code: u16,
    /// The query parameter of `to` that gets the URL of the request. Without a name it is not sent.
    return_to_query_param: String,
}

impl Redirect {
    fn compile(settings: Value) -> Result<Self, String> {
        let Settings { to, code, return_to_query_param } = settings::read(settings)?;
        if to.is_empty() {
            return Err("requires the setting `to`".to_owned());
        }
        let is_relative = to.parse::<Url>() == Err(url::ParseError::RelativeUrlWithoutBase);
        let is_web = to.parse::<Url>().is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !(is_relative || is_web) || HeaderValue::from_str(&to).is_err() {
            return Err("has a `to` that is not a valid redirect URL".to_owned());
        }
        let status = if code == 301 { StatusCode::MOVED_PERMANENTLY } else { StatusCode::FOUND };
        Ok(Self { to, status, return_to_query_param })
    }

    fn response(&self, request: FailedRequest<'_>) -> Response<String> {
        let location = match request.original_url {
            Some(original) if !self.return_to_query_param.is_empty() => self.with_return_to(original),
            _ => self.to.clone(),
        };
        let text = self.status.canonical_reason().unwrap_or_default();
        let body = format!("<a href=\"{}\">{text}</a>.\n\n", escaped(&location));
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        if let Ok(location) = HeaderValue::from_str(&location) {
            response.headers_mut().insert(LOCATION, location);
        }
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        response
    }

    /// Adds the parameter to the query of `to`, before its fragment.
    fn with_return_to(&self, original: &str) -> String {
        let (before, fragment) = self.to.split_once('#').map_or((self.to.as_str(), None), |(a, b)| (a, Some(b)));
        let pair: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair(&self.return_to_query_param, original)
            .finish();
        let separator = match before.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        let fragment = fragment.map(|it| format!("#{it}")).unwrap_or_default();
        format!("{before}{separator}{pair}{fragment}")
    }
}

impl Form for Redirect {
    fn answer(&self, _: &Failure, request: FailedRequest<'_>) -> Response<String> {
        self.response(request)
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&#34;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn location(settings: Value) -> String {
        let headers = http::HeaderMap::new();
        let request =
            FailedRequest { headers: &headers, client_address: None, original_url: Some("https://h:1/a%20b?c=d&e=f") };
        let response = Redirect::compile(settings).unwrap().response(request);
        response.headers()[LOCATION].to_str().unwrap().to_owned()
    }

    #[test]
    fn the_redirect_carries_the_original_url() {
        assert_eq!(location(json!({"to": "https://login/x"})), "https://login/x");
        let back = "return_to=https%3A%2F%2Fh%3A1%2Fa%2520b%3Fc%3Dd%26e%3Df";
        let with = |to: &str| location(json!({"to": to, "return_to_query_param": "return_to"}));
        assert_eq!(with("https://login/x"), format!("https://login/x?{back}"));
        assert_eq!(with("/x?a=b#f"), format!("/x?a=b&{back}#f"));
    }

    #[test]
    fn the_status_is_302_unless_it_is_301() {
        let status = |code: u16| Redirect::compile(json!({"to": "/", "code": code})).unwrap().status.as_u16();
        assert_eq!((status(301), status(302), status(307)), (301, 302, 302));
    }

    #[test]
    fn a_redirect_requires_a_valid_url() {
        for settings in [json!({}), json!({"to": "javascript:alert(1)"}), json!({"to": "/a\n"})] {
            assert!(Redirect::compile(settings).is_err());
        }
    }
}
