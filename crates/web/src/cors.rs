//! Cross-origin requests (`serve.*.cors`), with the keys and defaults of the configuration files that we read.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use schemars::JsonSchema;
use serde::Deserialize;
use tower::ServiceExt as _;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::middleware::{self, Next};

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CorsConfig {
    /// Whether pages of other origins can read responses.
    pub enabled: bool,
    /// The origins that can read responses. Each entry can have one `*`.
    pub allowed_origins: Vec<String>,
    /// The methods that pages of other origins can use.
    pub allowed_methods: Vec<String>,
    /// The headers that pages of other origins can send.
    pub allowed_headers: Vec<String>,
    /// The headers that pages of other origins can read.
    pub exposed_headers: Vec<String>,
    /// Whether pages of other origins can send cookies; `false` by default on admin listeners. It has no effect for the origin `*`.
    pub allow_credentials: bool,
    /// How long a browser remembers the answer to a preflight request, in seconds.
    pub max_age: u64,
}

impl Default for CorsConfig {
    fn default() -> Self {
        let list = |items: &[&str]| items.iter().map(|it| (*it).to_owned()).collect();
        Self {
            enabled: false,
            allowed_origins: Vec::new(),
            allowed_methods: list(&["POST", "GET", "PUT", "PATCH", "DELETE"]),
            allowed_headers: list(&[
                "Authorization",
                "Content-Type",
                "Max-Age",
                "X-Session-Token",
                "X-XSRF-TOKEN",
                "X-CSRF-TOKEN",
            ]),
            exposed_headers: list(&["Content-Type"]),
            allow_credentials: true,
            max_age: 0,
        }
    }
}

impl CorsConfig {
    /// Adds CORS to `router`: answers preflight requests and adds the headers to other answers, if CORS is enabled.
    ///
    /// An entry is an exact origin or contains one `*`, which stands for one or more labels of a host or for the digits of a
    /// port: `https://*.example.org`. A bare `*` allows every origin, but never together with credentials, because any page
    /// could then act as the signed-in person.
    ///
    /// Below `own_rules` each answer names the origins that may read it, and every origin may send a preflight request.
    pub fn around(&self, router: Router, own_rules: &'static [&'static str]) -> Router {
        if !self.enabled {
            return router;
        }
        let (plain, config) = (router.clone(), self.clone());
        router.layer(self.layer(own_rules)).layer(middleware::from_fn(move |request: Request, next: Next| {
            // Other `OPTIONS` requests belong to the service or the upstream, for instance CalDAV.
            let is_own =
                request.method() == Method::OPTIONS && !request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
            let plain = is_own.then(|| (plain.clone(), config.clone()));
            async move {
                let Some((plain, config)) = plain else { return consistent(next.run(request).await) };
                let origin = request.headers().get(ORIGIN).cloned();
                let mut response = plain.oneshot(request).await.unwrap_or_else(|never| match never {});
                config.mark(origin, response.headers_mut());
                consistent(response)
            }
        }))
    }

    /// Adds the headers to the answer to any other method.
    fn mark(&self, origin: Option<HeaderValue>, headers: &mut HeaderMap) {
        headers.append(VARY, HeaderValue::from_static("origin"));
        let Some(origin) = origin.filter(|it| it.to_str().is_ok_and(|it| self.allows(it))) else { return };
        let any = self.allowed_origins.iter().any(|it| it == "*");
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, if any { HeaderValue::from_static("*") } else { origin });
        if self.allow_credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }

    fn layer(&self, own_rules: &'static [&'static str]) -> CorsLayer {
        let any = self.allowed_origins.iter().any(|it| it == "*");
        let patterns: Vec<String> =
            self.allowed_origins.iter().filter(|it| *it != "*").map(|it| it.to_ascii_lowercase()).collect();
        let matches = move |origin: &HeaderValue| {
            let origin = origin.to_str().unwrap_or_default().to_ascii_lowercase();
            patterns.iter().any(|pattern| matches_origin(pattern, &origin))
        };
        let methods: Vec<Method> = self.allowed_methods.iter().filter_map(|it| it.parse().ok()).collect();
        let names = |items: &[String]| items.iter().filter_map(|it| it.parse().ok()).collect::<Vec<HeaderName>>();
        let layer = CorsLayer::new()
            .allow_methods(methods)
            .allow_headers(names(&self.allowed_headers))
            .expose_headers(names(&self.exposed_headers))
            .max_age(Duration::from_secs(self.max_age));
        let asks_beforehand =
            move |head: &Parts| head.method == Method::OPTIONS && own_rules.contains(&head.uri.path());
        if any {
            layer.allow_origin(AllowOrigin::any())
        } else {
            layer
                .allow_origin(AllowOrigin::predicate(move |origin, head| matches(origin) || asks_beforehand(head)))
                .allow_credentials(self.allow_credentials)
        }
    }
}

/// Removes headers that have no meaning with the origins that the handler named.
fn consistent(mut response: Response) -> Response {
    let headers: &mut HeaderMap = response.headers_mut();
    let origin = headers.get(ACCESS_CONTROL_ALLOW_ORIGIN).cloned();
    if origin.as_ref().is_none_or(|origin| origin == "*") {
        headers.remove(ACCESS_CONTROL_ALLOW_CREDENTIALS);
    }
    if origin.is_none() {
        headers.remove(ACCESS_CONTROL_EXPOSE_HEADERS);
    }
    response
}

impl CorsConfig {
    /// Whether pages of this origin may read answers.
    pub fn allows(&self, origin: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        let covers = |pattern: &String| pattern == "*" || matches_origin(&pattern.to_ascii_lowercase(), &origin);
        self.enabled && self.allowed_origins.iter().any(covers)
    }
}

/// Whether an origin, in lower case, matches a pattern: see [`CorsConfig::around`].
pub fn matches_origin(pattern: &str, origin: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == origin };
    // `https://*foo.com` would allow `https://evilfoo.com`, and `https://*` every origin: the star must be followed by a dot or
    // stand for a port.
    let bounded = after.starts_with('.')
        && after.contains(|it: char| it.is_alphanumeric())
        && after.trim_start_matches('.').contains('.')
        || (after.is_empty() && before.ends_with(':') && before.matches(':').count() == 2);
    let middle = origin.strip_prefix(before).and_then(|it| it.strip_suffix(after));
    bounded
        && middle.is_some_and(|it| {
            !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-' || it == b'.')
        })
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use http::{HeaderMap, Request, StatusCode};
    use serde_json::json;
    use tower::ServiceExt as _;

    use super::{CorsConfig, matches_origin};

    const PAGE: &str = "https://app.example.org";

    async fn ask(origins: &[&str], method: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap) {
        let config = json!({"enabled": true, "allowed_origins": origins, "allow_credentials": true});
        let config: CorsConfig = serde_json::from_value(config).unwrap();
        let public = get(async || [("access-control-allow-origin", "*")]);
        let router = Router::new().route("/", get(async || "")).route("/public", public);
        let path = if method == "PUBLIC" { "/public" } else { "/" };
        let mut request = Request::builder().method(if method == "PUBLIC" { "GET" } else { method }).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let router = config.around(router, &[]);
        let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        (response.status(), response.headers().clone())
    }

    #[tokio::test]
    async fn credentials_are_allowed_only_for_named_origins() {
        let credentials = "access-control-allow-credentials";
        let (_, headers) = ask(&[PAGE], "GET", &[("origin", PAGE)]).await;
        assert!(headers["access-control-allow-origin"] == PAGE && headers[credentials] == "true", "{headers:?}");
        for (origins, method, origin) in [
            ([PAGE], "GET", None),
            ([PAGE], "GET", Some("https://evil.example")),
            ([PAGE], "PUBLIC", Some("https://evil.example")),
            (["*"], "GET", Some(PAGE)),
        ] {
            let sent: Vec<_> = origin.map(|origin| ("origin", origin)).into_iter().collect();
            let (_, headers) = ask(&origins, method, &sent).await;
            assert_eq!(headers.get(credentials), None, "{origins:?} {method} {origin:?}: {headers:?}");
        }
        let asks = [("origin", PAGE), ("access-control-request-method", "POST")];
        let (_, headers) = ask(&["*"], "OPTIONS", &asks).await;
        assert!(headers["access-control-allow-origin"] == "*" && !headers.contains_key(credentials), "{headers:?}");
    }

    #[tokio::test]
    async fn only_preflight_requests_are_answered_in_place_of_the_service() {
        let asks = [("origin", PAGE), ("access-control-request-method", "POST")];
        assert_eq!(ask(&[PAGE], "OPTIONS", &asks).await.0, StatusCode::OK);
        let (status, headers) = ask(&[PAGE], "OPTIONS", &[]).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(headers["allow"], "GET,HEAD");
        let read = |headers: &HeaderMap| {
            ["access-control-allow-origin", "access-control-allow-credentials"]
                .map(|name| headers.get(name).map(|value| value.to_str().unwrap().to_owned()))
        };
        let (_, headers) = ask(&[PAGE], "OPTIONS", &[("origin", PAGE)]).await;
        assert_eq!(read(&headers), [Some(PAGE.to_owned()), Some("true".to_owned())]);
        let (_, headers) = ask(&["*"], "OPTIONS", &[("origin", PAGE)]).await;
        assert_eq!(read(&headers), [Some("*".to_owned()), None]);
        let (_, headers) = ask(&[PAGE], "OPTIONS", &[("origin", "https://evil.example")]).await;
        assert_eq!(read(&headers), [None, None]);
    }

    #[test]
    fn a_star_stays_inside_its_domain() {
        assert!(matches_origin("https://app.example.org", "https://app.example.org"));
        assert!(matches_origin("https://*.example.org", "https://a.b.example.org"));
        assert!(matches_origin("http://localhost:*", "http://localhost:3000"));
        for (pattern, origin) in [
            ("https://*.example.org", "https://example.org"),
            ("https://*.example.org", "https://evil.org/.example.org"),
            ("https://*.example.org", "http://a.example.org"),
            ("https://*example.org", "https://evilexample.org"),
            ("https://*", "https://evil.example"),
            ("https://*.org", "https://evil.org"),
            ("http://localhost:*", "http://localhost:3000.evil.org/"),
        ] {
            assert!(!matches_origin(pattern, origin), "{pattern} allows {origin}");
        }
    }
}
