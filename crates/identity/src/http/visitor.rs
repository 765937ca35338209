//! Reads the data about the client from a request.

use std::sync::Arc;

use axum::extract::{FromRequestParts, OriginalUri};
use base::{Context, PlainToken};
use http::HeaderMap;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ORIGIN, USER_AGENT};
use http::request::Parts;
use url::Url;
use web::RestError;

use crate::Identity;
use crate::domain::client_kind::Wants;
use crate::domain::flow::endpoint;
use crate::flows::visitor::Visitor;

impl FromRequestParts<Arc<Identity>> for Visitor {
    type Rejection = RestError;

    async fn from_request_parts(parts: &mut Parts, identity: &Arc<Identity>) -> Result<Self, Self::Rejection> {
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        let request_url = request_url(identity.urls.public(), uri.path(), uri.query());
        let ip_address =
            parts.extensions.get::<Context>().and_then(|cx| cx.client_address).map(|address| address.to_string());
        Ok(read(&parts.headers, request_url, ip_address))
    }
}

/// The URL as the client knows it: based on the configured public URL, never on a header.
fn request_url(public: &Url, path: &str, query: Option<&str>) -> Url {
    let mut url = endpoint(public, path.trim_start_matches('/'));
    url.set_query(query);
    url
}

fn read(headers: &HeaderMap, request_url: Url, ip_address: Option<String>) -> Visitor {
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    let (accept, content_type) = (text(ACCEPT.as_str()), text(CONTENT_TYPE.as_str()));
    let bearer = text(AUTHORIZATION.as_str()).and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
    });
    Visitor {
        wants: Wants::loosely(accept, content_type),
        wants_strictly: Wants::strictly(accept),
        request_url,
        cookie_header: web::cookies::joined(headers),
        session_token: text("x-session-token").filter(|token| !token.is_empty()).map(PlainToken::received),
        bearer: bearer.map(PlainToken::received),
        csrf_header: text("x-csrf-token").map(str::to_owned),
        has_origin: headers.contains_key(ORIGIN),
        is_ajax: text("sec-fetch-mode").is_some_and(|mode| mode == "cors" || mode == "same-origin"),
        is_from_elsewhere: matches!(text("sec-fetch-site"), Some("cross-site" | "same-site")),
        ip_address,
        user_agent: text(USER_AGENT.as_str()).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::COOKIE;

    use super::*;

    #[test]
    fn the_headers_of_a_single_page_application_are_read() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.append(COOKIE, HeaderValue::from_static("a=1"));
        headers.append(COOKIE, HeaderValue::from_static("b=2"));
        headers.insert(AUTHORIZATION, HeaderValue::from_static("bearer ory_st_x"));
        headers.insert(ORIGIN, HeaderValue::from_static("https://app.example"));
        let url = request_url(&Url::parse("https://id.example/auth").unwrap(), "/self-service/login", Some("flow=1"));
        assert_eq!(url.as_str(), "https://id.example/auth/self-service/login?flow=1");
        let visitor = read(&headers, url, None);
        assert_eq!(visitor.wants, Wants::Json);
        assert_eq!(visitor.cookie("b"), Some("2"));
        assert_eq!(visitor.bearer.as_ref().map(PlainToken::expose), Some("ory_st_x"));
        assert!(visitor.has_origin && visitor.session_token.is_none());
        assert_eq!(visitor.query("flow").as_deref(), Some("1"));
    }
}
