//! An answer to a request of a test.

use std::fmt;

use axum::body::to_bytes;
use axum::response::Response;
use cookie::Cookie;
use http::header::{AsHeaderName, LINK, LOCATION, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use url::Url;

/// An answer, read to its end. It is displayed as on the wire, for a failed assertion.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
    /// The body as JSON: null if it is empty, and a string if it is not JSON.
    pub json: Value,
}

impl Reply {
    pub fn new(status: StatusCode, headers: HeaderMap, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body).into_owned();
        let other = || if text.is_empty() { Value::Null } else { Value::from(text.as_str()) };
        let json = serde_json::from_slice(body).unwrap_or_else(|_| other());
        Self { status, headers, text, json }
    }

    pub(crate) async fn read(response: Response) -> Self {
        let (head, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Self::new(head.status, head.headers, &body)
    }

    /// The reply itself if it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// The first header of this name.
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The value at a JSON pointer (RFC 6901) of the body.
    #[track_caller]
    pub fn at(&self, pointer: &str) -> &Value {
        self.json.pointer(pointer).unwrap_or_else(|| panic!("nothing at {pointer}: {self}"))
    }

    /// The string at a JSON pointer of the body.
    #[track_caller]
    pub fn string(&self, pointer: &str) -> String {
        self.at(pointer).as_str().unwrap_or_else(|| panic!("no string at {pointer}: {self}")).to_owned()
    }

    /// The header `Location`; empty when there is none.
    pub fn location(&self) -> &str {
        self.header(LOCATION).unwrap_or_default()
    }

    /// The URL that the answer redirects to.
    #[track_caller]
    pub fn redirect(&self) -> Url {
        Url::parse(self.location()).unwrap_or_else(|error| panic!("no redirect to a URL, {error}: {self}"))
    }

    /// A parameter of the URL that the answer redirects to.
    #[track_caller]
    pub fn parameter(&self, name: &str) -> Option<String> {
        parameter(&self.redirect(), name)
    }

    /// The address of the next page: the first link of relation `next` (RFC 8288).
    pub fn next_page(&self) -> Option<&str> {
        let next = self.header(LINK)?.split(',').find(|link| link.contains("rel=\"next\""))?;
        next.split(['<', '>']).nth(1)
    }

    /// The cookies that the answer sets, in their order.
    #[track_caller]
    pub fn set_cookies(&self) -> Vec<Cookie<'_>> {
        let parse = |text: &'_ http::HeaderValue| Cookie::parse(text.to_str().ok()?.to_owned()).ok();
        let cookies = self.headers.get_all(SET_COOKIE).iter().map(parse);
        cookies.collect::<Option<_>>().unwrap_or_else(|| panic!("not a cookie: {self}"))
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
        }
        write!(f, "\n{}", self.text)
    }
}

/// A parameter of a URL's query.
pub fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(its_name, _)| its_name == name).map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;

    fn reply(headers: &[(http::HeaderName, &'static str)], body: &str) -> Reply {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        Reply::new(StatusCode::FOUND, headers.collect(), body.as_bytes())
    }

    #[test]
    fn a_body_is_read_as_json_or_as_text() {
        assert_eq!(reply(&[], "").json, Value::Null);
        assert_eq!(reply(&[], "<p>").json, "<p>");
        let reply = reply(&[], r#"{"a": [{"b": "c"}]}"#);
        assert_eq!((reply.at("/a/0"), reply.string("/a/0/b").as_str()), (&json!({"b": "c"}), "c"));
    }

    #[test]
    fn a_redirect_has_parameters() {
        let reply = reply(&[(LOCATION, "https://a.example/b?c=d%20e")], "");
        assert_eq!((reply.location(), reply.redirect().path()), ("https://a.example/b?c=d%20e", "/b"));
        assert_eq!((reply.parameter("c").as_deref(), reply.parameter("d")), (Some("d e"), None));
    }

    #[test]
    fn a_list_links_to_its_next_page() {
        let links = r#"</a?page_size=2>; rel="first",</a?page_size=2&page_token=x>; rel="next""#;
        assert_eq!(reply(&[(LINK, links)], "").next_page(), Some("/a?page_size=2&page_token=x"));
        assert_eq!(reply(&[(LINK, r#"</a>; rel="first""#)], "").next_page(), None);
    }

    #[test]
    fn cookies_are_read_in_their_order() {
        let reply = reply(&[(SET_COOKIE, "a=1; Path=/; Secure"), (SET_COOKIE, "b=2")], "");
        let cookies = reply.set_cookies();
        let shown: Vec<_> = cookies.iter().map(|it| (it.name_value(), it.secure().unwrap_or(false))).collect();
        assert_eq!(shown, [(("a", "1"), true), (("b", "2"), false)]);
    }

    #[test]
    #[should_panic(expected = "x-a: 1\n\n{\"error\":\"no\"}")]
    fn a_failed_expectation_shows_the_whole_answer() {
        let _ = reply(&[(http::HeaderName::from_static("x-a"), "1")], r#"{"error":"no"}"#).expect(200);
    }
}
