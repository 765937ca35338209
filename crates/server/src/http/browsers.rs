//! Protects admin listeners from requests that a web page makes a browser send.
//!
//! A browser on the same machine can reach a loopback listener, whatever page it shows. A page of another origin can send
//! simple requests without a preflight (Fetch standard, section 3.2), and a page whose name resolves to 127.0.0.1 (DNS
//! rebinding) can also read the answers. So these checks come before everything else:
//! - A listener on loopback accepts only loopback names, the host of its `base_url` and `admin.hosts`; so does one on another
//!   address when `admin.hosts` is set.
//! - `Origin` is that of the listener or one that its `cors` block allows, and `Sec-Fetch-Site` does not name another site.
//! - A body has a media type that a page cannot send to another origin without a preflight: JSON, or that of a remote procedure
//!   call. Introspection takes forms (RFC 7662 section 2.1), and the syntax check takes any text. An unknown path reads no body.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use axum::Router;
use axum::body::HttpBody as _;
use axum::extract::{MatchedPath, Request, State};
use axum::response::Response;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, Method, StatusCode};
use url::{Host, Url};
use web::CorsConfig;
use web::middleware::{self, Next};

use super::page_origin;
use super::refusals::Refusals as _;
use super::socket::Address;
use crate::config::{Admin, Listener};
use service::ErrorFormat;

/// The only endpoint of an admin API that takes a form.
const INTROSPECTION: &str = "/admin/oauth2/introspect";
/// The only endpoint of an admin API that takes a text, under any media type, as Keto does. It reads and changes nothing but
/// that text.
const SYNTAX_CHECK: &str = "/opl/syntax/check";
/// The endpoints of `AuthZEN`.
const AUTHZEN: &str = "/access/v1/";

/// The checks of a listener.
#[derive(Clone)]
pub(crate) struct Policy(Arc<Inner>);

struct Inner {
    format: ErrorFormat,
    /// Whether it accepts only certain host names.
    checks_host: bool,
    /// Names besides those of loopback, in lower case and without port.
    hosts: Vec<String>,
    cors: CorsConfig,
    /// Prefixes of paths without checks.
    open: &'static [&'static str],
}

impl Policy {
    pub(crate) fn of(
        format: ErrorFormat,
        address: &Address,
        settings: &Listener,
        admin: &Admin,
        open: &'static [&'static str],
    ) -> Self {
        let base_url = settings.base_url.as_deref().and_then(|text| Url::parse(text).ok());
        let named = base_url.as_ref().and_then(Url::host_str).map(str::to_ascii_lowercase);
        let hosts = admin.hosts.iter().map(|host| host.to_ascii_lowercase()).chain(named).collect();
        let is_on_loopback = matches!(address, Address::Tcp(address) if address.ip().is_loopback());
        let checks_host = is_on_loopback || !admin.hosts.is_empty();
        Self(Arc::new(Inner { format, checks_host, hosts, cors: settings.cors.clone(), open }))
    }

    pub(crate) fn around(self, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(self, check))
    }
}

async fn check(State(policy): State<Policy>, request: Request, next: Next) -> Response {
    let inner = &policy.0;
    let path = request.uri().path();
    if inner.open.iter().any(|open| path.starts_with(open)) {
        return next.run(request).await;
    }
    match inner.refusal(&request) {
        Some((status, reason)) => inner.format.refusal(status, reason),
        None => next.run(request).await,
    }
}

impl Inner {
    fn refusal(&self, request: &Request) -> Option<(StatusCode, &'static str)> {
        let headers = request.headers();
        let authority = request.uri().authority().map(http::uri::Authority::as_str);
        let host = authority.or_else(|| text(headers, HOST.as_str())).unwrap_or_default();
        // Browsers always send a host; whether other clients must is checked later.
        let names_a_host = authority.is_some() || headers.contains_key(HOST);
        if self.checks_host && names_a_host && !self.answers_to(host) {
            let reason =
                "Host: this admin listener does not serve this host; add it to serve.admin.base_url or admin.hosts.";
            return Some((StatusCode::MISDIRECTED_REQUEST, reason));
        }
        if !self.is_from_here(request, host) {
            let reason = "Origin: web pages of other origins must not call this admin listener.";
            return Some((StatusCode::FORBIDDEN, reason));
        }
        // An unknown path is 404 with any body: nothing reads it.
        let is_known = request.extensions().get::<MatchedPath>().is_some();
        if is_known && !request.body().is_end_stream() && !may_carry_body(request) {
            let reason = "Content-Type: the body must be of type application/json.";
            return Some((StatusCode::UNSUPPORTED_MEDIA_TYPE, reason));
        }
        None
    }

    fn answers_to(&self, authority: &str) -> bool {
        let Some(host) = host_of(authority) else { return false };
        let is_loopback = match &host {
            Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => *address == Ipv6Addr::LOCALHOST || *address == Ipv4Addr::LOCALHOST.to_ipv6_mapped(),
        };
        is_loopback || self.hosts.contains(&host.to_string())
    }

    /// Whether the request comes from no page, from a page of this listener, or from one that `cors` allows.
    fn is_from_here(&self, request: &Request, host: &str) -> bool {
        let headers = request.headers();
        let is_accepted = |origin: &str| {
            let is_own = origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host));
            is_own || self.cors.allows(origin)
        };
        // A link may lead to a page here: only the person who follows it sees the page.
        let is_link = || {
            matches!(*request.method(), Method::GET | Method::HEAD)
                && text(headers, "sec-fetch-mode") == Some("navigate")
                && text(headers, "sec-fetch-dest") == Some("document")
        };
        page_origin::accepted(headers, is_accepted)
            .unwrap_or_else(|| !page_origin::is_cross_origin(headers) || is_link())
    }
}

/// Whether the media type of the body is one that a page cannot send to another origin without a preflight.
fn may_carry_body(request: &Request) -> bool {
    let headers = request.headers();
    if !headers.contains_key(CONTENT_TYPE) {
        // Programs often omit it. Browsers omit it when the page set no type, and always add one of these headers.
        return !["origin", "referer", "cookie", "sec-fetch-site", "sec-fetch-mode"]
            .iter()
            .any(|name| headers.contains_key(*name));
    }
    let essence = web::media_types::of_body(headers);
    let is_call = || web::rpc::Form::of(request.uri().path(), headers).is_some();
    is_call()
        || essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
        || (essence == "application/x-www-form-urlencoded" && request.uri().path() == INTROSPECTION)
        || request.uri().path() == SYNTAX_CHECK
        // It accepts nothing but application/json, and has another status for everything else.
        || request.uri().path().starts_with(AUTHZEN)
}

/// The host of `example.org:80`, `127.0.0.1` or `[::1]:80`: it is followed by a port or by nothing.
fn host_of(authority: &str) -> Option<Host<String>> {
    let end = match authority.find(']') {
        Some(bracket) => bracket + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(end);
    let is_port =
        port.is_empty() || port.strip_prefix(':').is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_digit()));
    if !is_port {
        return None;
    }
    // The usual form is read at once: the parser of all forms takes microseconds, for each request.
    host.parse().map(Host::Ipv4).or_else(|_| Host::parse(host)).ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::{any, post};
    use tower::ServiceExt as _;

    use super::*;
    use crate::config::Listener;

    const OPEN: &[&str] = &["/health/", "/decisions"];

    async fn status_of(address: &str, headers: &[(&str, &str)], method: &str, path: &str, body: &str) -> u16 {
        let listener: Listener = serde_json::from_value(serde_json::json!({
            "base_url": "https://admin.example/x",
            "cors": { "enabled": true, "allowed_origins": ["https://console.example"] },
        }))
        .unwrap();
        let hosts = if address.starts_with("127.") { vec!["Kratos".to_owned()] } else { Vec::new() };
        let admin = Admin { hosts, ..Admin::default() };
        let address = Address::Tcp(address.parse().unwrap());
        let router = Router::new().route("/{*path}", any(async || "done"));
        let router = Policy::of(ErrorFormat::Rest, &address, &listener, &admin, OPEN).around(router);
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        router.oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn a_listener_on_loopback_accepts_only_its_own_names() {
        for host in [
            "127.0.0.1:4434",
            "127.0.0.7",
            "localhost",
            "app.localhost:1",
            "[::1]:4434",
            "admin.example",
            "KRATOS:4434",
        ] {
            assert_eq!(status_of("127.0.0.1:4434", &[("host", host)], "GET", "/admin/keys", "").await, 200, "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:4434",
            "localhost:4434.evil.example",
            "[::1].evil.example",
            "[::1]4434",
            "",
            "a b",
            "10.0.0.1",
            "[::2]",
        ] {
            assert_eq!(status_of("127.0.0.1:4434", &[("host", host)], "GET", "/admin/keys", "").await, 421, "{host}");
            let anywhere = status_of("0.0.0.0:4434", &[("host", host)], "GET", "/admin/keys", "").await;
            assert_eq!(anywhere, 200, "{host}: names are checked on loopback only");
        }
        assert_eq!(status_of("127.0.0.1:4434", &[("host", "evil.example")], "GET", "/decisions/a", "").await, 200);
    }

    #[tokio::test]
    async fn listed_names_apply_on_every_address() {
        let listed = Admin { hosts: vec!["kratos".to_owned()], ..Admin::default() };
        let address = Address::Tcp("0.0.0.0:4434".parse().unwrap());
        let policy = Policy::of(ErrorFormat::Rest, &address, &Listener::default(), &listed, OPEN);
        let router = policy.around(Router::new().fallback(async || "done"));
        for (host, status) in [("kratos:4434", 200), ("localhost", 200), ("evil.example", 421)] {
            let request = Request::builder().uri("/admin/keys").header("host", host).body(Body::empty()).unwrap();
            assert_eq!(router.clone().oneshot(request).await.unwrap().status(), status, "{host}");
        }
    }

    #[tokio::test]
    async fn a_page_of_another_origin_cannot_call_an_admin_listener() {
        const HOST: (&str, &str) = ("host", "127.0.0.1:4434");
        const JSON: (&str, &str) = ("content-type", "application/json");
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://127.0.0.1:4435"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
                let status = status_of("127.0.0.1:4434", &[HOST, JSON, (name, value)], method, "/admin/x", "{}").await;
                assert_eq!(status, 403, "{method} {name}: {value}");
            }
        }
        for (name, value) in [
            ("origin", "http://127.0.0.1:4434"),
            ("origin", "https://console.example"),
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "none"),
        ] {
            let status = status_of("127.0.0.1:4434", &[HOST, JSON, (name, value)], "POST", "/admin/x", "{}").await;
            assert_eq!(status, 200, "{name}: {value}");
        }
        let link =
            [HOST, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        assert_eq!(
            status_of("127.0.0.1:4434", &link, "GET", "/admin/mailbox", "").await,
            200,
            "a link leads to a page"
        );
        assert_eq!(status_of("127.0.0.1:4434", &link, "POST", "/admin/mailbox", "").await, 403);
    }

    #[tokio::test]
    async fn a_body_of_any_media_type_to_an_unknown_path_is_404() {
        let admin = Admin::default();
        let address = Address::Tcp("127.0.0.1:4434".parse().unwrap());
        let policy = Policy::of(ErrorFormat::Rest, &address, &Listener::default(), &admin, OPEN);
        let router = policy.around(Router::new().route("/admin/clients/{id}", post(async || "done")));
        for (method, path, origin, status) in [
            ("POST", "/admin/unknown", "http://127.0.0.1:4434", 404),
            ("POST", "/admin/clients", "http://127.0.0.1:4434", 404),
            ("POST", "/admin/clients/a", "http://127.0.0.1:4434", 415),
            ("PUT", "/admin/clients/a", "http://127.0.0.1:4434", 415),
            ("POST", "/admin/unknown", "http://evil.example", 403),
        ] {
            let request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:4434");
            let request = request.header("origin", origin).header("content-type", "text/plain");
            let answer = router.clone().oneshot(request.body(Body::from("{}")).unwrap()).await.unwrap();
            assert_eq!(answer.status(), status, "{method} {path} {origin}");
        }
    }

    #[tokio::test]
    async fn a_body_on_an_admin_listener_must_have_a_json_media_type() {
        const FORM: &str = "application/x-www-form-urlencoded";
        let status = async |kind: &str, path: &str, more: (&str, &str)| {
            let headers = [("host", "127.0.0.1"), ("content-type", kind), more];
            let headers = if kind.is_empty() { vec![headers[0], more] } else { headers.to_vec() };
            status_of("127.0.0.1:4434", &headers, "POST", path, "{}").await
        };
        let nothing = ("accept", "*/*");
        for kind in ["application/json", "application/json; charset=utf-8", "application/json-patch+json", ""] {
            assert_eq!(status(kind, "/admin/clients", nothing).await, 200, "{kind}");
        }
        for kind in ["text/plain", "text/plain;charset=UTF-8", FORM, "multipart/form-data; boundary=x", "text/json"] {
            assert_eq!(status(kind, "/admin/clients", nothing).await, 415, "{kind}");
        }
        assert_eq!(status("", "/admin/clients", ("referer", "http://evil.example/")).await, 415);
        assert_eq!(status(FORM, INTROSPECTION, nothing).await, 200);
        for kind in [FORM, "text/plain", "application/octet-stream"] {
            assert_eq!(status(kind, SYNTAX_CHECK, nothing).await, 200, "{kind}");
            assert_eq!(status(kind, SYNTAX_CHECK, ("origin", "http://evil.example")).await, 403, "{kind}");
        }
        assert_eq!(status("text/plain", "/access/v1/evaluation", nothing).await, 200);
        assert_eq!(status("text/plain", "/access/v10", nothing).await, 415);
        for (kind, path, wanted) in [
            ("application/grpc", "/a.Service/Call", 200),
            ("application/proto", "/a.Service/Call", 200),
            ("application/proto", "/admin/clients", 415),
            ("text/plain", "/a.Service/Call", 415),
        ] {
            assert_eq!(status(kind, path, nothing).await, wanted, "{kind} {path}");
            assert_eq!(status(kind, path, ("origin", "http://evil.example")).await, 403, "{kind} {path}");
        }
    }
}
