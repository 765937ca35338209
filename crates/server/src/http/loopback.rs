//! The names of this machine: `localhost`, `127.0.0.1` and `[::1]` reach the same listener, but browsers treat them as three
//! sites. A visit that begins under one of them and continues under another loses its cookies.
//!
//! Invariants:
//! - A page that begins a visit redirects to the configured URL. The host and the scheme of the target come from the
//!   configuration, never from the request.
//! - Only requests for the port of the configured URL, under another name of this machine, are redirected. Requests for any
//!   other host, and requests for JSON, are answered without a redirect.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{ACCEPT, CACHE_CONTROL, LOCATION};
use http::{Method, StatusCode};
use url::{Host, Url};
use web::RequestOrigin;
use web::middleware::{self, Next};

/// The name that is used without a configured URL: passkeys need a domain name and do not accept an IP address (Web
/// Authentication Level 3 section 5.1.3).
pub(crate) const LOCALHOST: &str = "localhost";

/// Whether a path begins a visit.
pub(crate) type IsFirstPage = fn(&str) -> bool;

/// Whether the URL has one of the three names of this machine and no path.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == LOCALHOST,
        Some(Host::Ipv4(address)) => address == std::net::Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(address)) => address == std::net::Ipv6Addr::LOCALHOST,
        None => false,
    }
}

/// The name of this machine in `url`, if it has one.
pub(crate) fn name_in(url: &Url) -> Option<&str> {
    url.host_str().filter(|_| is_loopback(url))
}

/// Redirects requests for first pages under another name of this machine to `base_url`.
pub(crate) fn redirect_to(base_url: &str, is_first_page: IsFirstPage, router: Router) -> Router {
    let base = Url::parse(base_url).ok();
    // A path means that a proxy maps the URLs and is responsible for the host name.
    match base.filter(|base| is_loopback(base) && base.path() == "/") {
        Some(base) => {
            let redirection = Redirection { base: Arc::new(base), is_first_page };
            router.layer(middleware::from_fn_with_state(redirection, check))
        }
        None => router,
    }
}

#[derive(Clone)]
struct Redirection {
    base: Arc<Url>,
    is_first_page: IsFirstPage,
}

async fn check(State(redirection): State<Redirection>, request: Request, next: Next) -> Response {
    match redirection.target(&request) {
        Some(target) => (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, target), (CACHE_CONTROL, "no-store".to_owned())])
            .into_response(),
        None => next.run(request).await,
    }
}

impl Redirection {
    fn target(&self, request: &Request) -> Option<String> {
        if !matches!(*request.method(), Method::GET | Method::HEAD)
            || !(self.is_first_page)(request.uri().path())
            || wants_json(request)
        {
            return None;
        }
        // HTTP/2 has the host in the URI.
        let from_origin = request.extensions().get::<RequestOrigin>().map(|origin| origin.host.as_str());
        let host = from_origin
            .filter(|host| !host.is_empty())
            .or(request.uri().authority().map(http::uri::Authority::as_str))?;
        let asked = Url::parse(&format!("{}://{host}/", self.base.scheme())).ok()?;
        let is_same_port = asked.port_or_known_default() == self.base.port_or_known_default();
        if !is_same_port || !is_loopback(&asked) || asked.host() == self.base.host() {
            return None;
        }
        let path = request.uri().path_and_query()?;
        Some(format!("{}{path}", self.base.origin().ascii_serialization()))
    }
}

/// A script or a program, which uses its own URLs.
fn wants_json(request: &Request) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("json") && !accept.contains("text/html")
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tower::ServiceExt as _;

    use super::*;

    async fn led(base: &str, host: &str, method: &str, path: &str, accept: &str) -> Option<String> {
        let router = redirect_to(base, |path| path.starts_with("/ui"), Router::new().fallback(async || "here"));
        let mut request = Request::builder().method(method).uri(path).header(ACCEPT, accept);
        if let Some(extensions) = request.extensions_mut() {
            extensions.insert(RequestOrigin { scheme: "http".to_owned(), host: host.to_owned() });
        }
        let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        match response.status().as_u16() {
            200 => None,
            307 => Some(response.headers()[LOCATION].to_str().unwrap().to_owned()),
            status => panic!("{status}"),
        }
    }

    #[tokio::test]
    async fn a_first_page_under_another_name_of_this_machine_redirects_to_the_configured_address() {
        const BASE: &str = "http://localhost:4433/";
        for host in ["127.0.0.1:4433", "[::1]:4433"] {
            let to = led(BASE, host, "GET", "/ui/login?flow=1&x=%2f", "text/html").await;
            assert_eq!(to.as_deref(), Some("http://localhost:4433/ui/login?flow=1&x=%2f"), "{host}");
        }
        let to = led("http://127.0.0.1:4433", "localhost:4433", "HEAD", "/ui", "*/*").await;
        assert_eq!(to.as_deref(), Some("http://127.0.0.1:4433/ui"));
        let to = led("https://localhost/", "127.0.0.1", "GET", "/ui", "").await;
        assert_eq!(to.as_deref(), Some("https://localhost/ui"), "the default port need not be named");
    }

    #[tokio::test]
    async fn no_other_request_is_redirected() {
        const BASE: &str = "http://localhost:4433/";
        for (base, host, method, path, accept) in [
            (BASE, "localhost:4433", "GET", "/ui", ""),
            (BASE, "LOCALHOST:4433", "GET", "/ui", ""),
            (BASE, "127.0.0.1:4434", "GET", "/ui", ""),
            (BASE, "127.0.0.1", "GET", "/ui", ""),
            (BASE, "evil.example:4433", "GET", "/ui", ""),
            (BASE, "127.0.0.1@evil.example:4433", "GET", "/ui", ""),
            (BASE, "127.0.0.1.evil.example:4433", "GET", "/ui", ""),
            (BASE, "", "GET", "/ui", ""),
            (BASE, "127.0.0.1:4433", "POST", "/ui", ""),
            (BASE, "127.0.0.1:4433", "GET", "/sessions/whoami", ""),
            (BASE, "127.0.0.1:4433", "GET", "/ui", "application/json"),
            ("https://id.example/", "127.0.0.1", "GET", "/ui", ""),
            ("http://localhost:4433/auth/", "127.0.0.1:4433", "GET", "/ui", ""),
        ] {
            assert_eq!(led(base, host, method, path, accept).await, None, "{base} {host} {method} {path}");
        }
    }

    #[tokio::test]
    async fn a_path_that_looks_like_a_host_stays_a_path() {
        let router = redirect_to("http://localhost:4433/", |_| true, Router::new());
        let request = Request::get("//evil.example/").header("host", "127.0.0.1:4433");
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(RequestOrigin { scheme: "http".to_owned(), host: "127.0.0.1:4433".to_owned() });
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.headers()[LOCATION], "http://localhost:4433//evil.example/");
    }
}
