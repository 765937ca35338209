//! Reads the target of a request: for the proxy from the request itself, for the decision API from the headers with which a
//! listed proxy describes the original request.

use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Uri};
use web::{PeerAddress, TrustedProxies};

use crate::domain::failure::Failure;
use crate::domain::path::RequestPath;
use crate::domain::target::{Host, Scheme, Target, TargetError};

const X_FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");

impl From<TargetError> for Box<Failure> {
    fn from(error: TargetError) -> Self {
        Failure::bad_request(error.to_string())
    }
}

/// Whether the peer is a trusted proxy.
pub(super) fn is_trusted(peer: Option<PeerAddress>, proxies: &TrustedProxies) -> bool {
    peer.is_some_and(|peer| proxies.contains(peer.address.ip().to_canonical()))
}

/// The target of a request to the proxy. A listed proxy may set the scheme of the client's request, and nothing else.
pub(crate) fn of_proxied(parts: &Parts, is_forwarder: bool) -> Result<Target, TargetError> {
    let peer = parts.extensions.get::<PeerAddress>();
    let mut scheme = connection_scheme(peer);
    if is_forwarder && let Some(value) = first_listed(&parts.headers, &X_FORWARDED_PROTO)? {
        scheme = Scheme::parse(value).ok_or(TargetError::Scheme)?;
    }
    authorizes_once(&parts.headers)?;
    let path = RequestPath::parse(path_on_the_wire(&parts.uri))?;
    let host = host(&parts.uri, &parts.headers)?;
    Ok(Target::new(parts.method.clone(), scheme, &host, &path, parts.uri.query()))
}

/// The target of a decision. Values that are not forwarded are taken from the request to the API, without the prefix
/// `/decisions`.
pub(crate) fn of_decision(parts: &Parts, is_forwarder: bool) -> Result<Target, Box<Failure>> {
    let headers = &parts.headers;
    let forwarded = [X_FORWARDED_METHOD, X_FORWARDED_PROTO, X_FORWARDED_HOST, X_FORWARDED_URI];
    if !is_forwarder && forwarded.iter().any(|name| headers.contains_key(name)) {
        // Without the forwarded headers, the decision would be about another request than the proxy forwards.
        let reason = "X-Forwarded-* headers from this peer are not trusted: add it to `serve.api.trusted_proxies`";
        return Err(Failure::forbidden().because(reason));
    }
    authorizes_once(headers)?;
    let method = match single(headers, &X_FORWARDED_METHOD)? {
        Some(method) => method.parse::<Method>().map_err(|_| TargetError::Method)?,
        None => parts.method.clone(),
    };
    let scheme = match first_listed(headers, &X_FORWARDED_PROTO)? {
        Some(scheme) => Scheme::parse(scheme).ok_or(TargetError::Scheme)?,
        None => connection_scheme(parts.extensions.get()),
    };
    let host = if let Some(host) = single(headers, &X_FORWARDED_HOST)? {
        Host::parse(host).map_err(TargetError::from)?
    } else {
        host(&parts.uri, headers)?
    };
    let (path, query) = if let Some(uri) = single(headers, &X_FORWARDED_URI)?.filter(|uri| !uri.is_empty()) {
        let (path, query) = uri.split_once('?').map_or((uri, None), |(path, query)| (path, Some(query)));
        (if path.is_empty() { "/" } else { path }, query)
    } else {
        let path = parts.uri.path();
        (path.strip_prefix("/decisions").unwrap_or(path), parts.uri.query())
    };
    // A bare `/decisions` is about a URL without a path, like a rule for `http://host`.
    let path = if path.is_empty() { Ok(RequestPath::absent()) } else { RequestPath::parse(path) };
    Ok(Target::new(method, scheme, &host, &path.map_err(TargetError::from)?, query))
}

fn connection_scheme(peer: Option<&PeerAddress>) -> Scheme {
    if peer.is_some_and(|peer| peer.is_tls) { Scheme::Https } else { Scheme::Http }
}

/// `OPTIONS *` and `CONNECT host` have no path, and no rule matches them.
fn path_on_the_wire(uri: &Uri) -> &str {
    match uri.path() {
        // An absolute URI without a path means the root (RFC 9112 section 3.2.1).
        "" if uri.scheme().is_some() => "/",
        path => path,
    }
}

/// `:authority`, the authority of an absolute target, or `Host`. If two of them are present they must agree, so that the
/// gateway and the upstream see the same host.
fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Result<Host<'a>, TargetError> {
    let named = single(headers, &HOST)?.map(Host::parse).transpose()?;
    let requested = uri.authority().map(|authority| Host::parse(authority.as_str())).transpose()?;
    match (named, requested) {
        (Some(named), Some(requested)) if named != requested => Err(TargetError::TwoHosts),
        (Some(host), _) | (None, Some(host)) => Ok(host),
        (None, None) => Err(crate::domain::target::HostError.into()),
    }
}

/// RFC 9110 section 11.6.2: one set of credentials. With two, the gateway might check one and the upstream use the other.
fn authorizes_once(headers: &HeaderMap) -> Result<(), TargetError> {
    match headers.get_all(AUTHORIZATION).iter().nth(1) {
        Some(_) => Err(TargetError::Header("Authorization")),
        None => Ok(()),
    }
}

/// The value of a field that may occur once.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, TargetError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let fault = || TargetError::Header(static_name(name));
    if values.next().is_some() {
        return Err(fault());
    }
    value.to_str().map(Some).map_err(|_| fault())
}

/// The first value of a field that each proxy appends to: the client's.
fn first_listed<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, TargetError> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = value.to_str().map_err(|_| TargetError::Header(static_name(name)))?;
    Ok(text.split(',').next().map(str::trim))
}

fn static_name(name: &HeaderName) -> &'static str {
    match name.as_str() {
        "host" => "Host",
        "x-forwarded-method" => "X-Forwarded-Method",
        "x-forwarded-proto" => "X-Forwarded-Proto",
        "x-forwarded-host" => "X-Forwarded-Host",
        _ => "X-Forwarded-Uri",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let request = headers.iter().fold(Request::builder().uri(uri), |it, (name, value)| it.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    fn proxied(uri: &str, headers: &[(&str, &str)], trusted: bool) -> Result<String, TargetError> {
        of_proxied(&parts(uri, headers), trusted).map(|target| target.url().to_owned())
    }

    fn decision(uri: &str, headers: &[(&str, &str)], trusted: bool) -> Result<String, http::StatusCode> {
        of_decision(&parts(uri, headers), trusted)
            .map(|target| format!("{} {} {:?}", target.method, target.url(), target.query()))
            .map_err(|failure| failure.status)
    }

    #[test]
    fn the_first_forwarded_scheme_is_used() {
        let https = Ok("https://h/a".to_owned());
        assert_eq!(proxied("/a", &[("host", "h"), ("x-forwarded-proto", "https,http")], true), https);
        assert_eq!(proxied("/a", &[("host", "h"), ("x-forwarded-proto", "https , http")], true), https);
        let twice = [("host", "h"), ("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")];
        assert_eq!(proxied("/a", &twice, true), https);
        assert_eq!(proxied("/a", &[("host", "h"), ("x-forwarded-proto", ",https")], true), Err(TargetError::Scheme));
        let value = decision("/decisions/a", &[("host", "h:443"), ("x-forwarded-proto", "https, http")], true);
        assert_eq!(value.unwrap(), "GET https://h/a None");
    }

    #[test]
    fn the_proxy_reads_the_request_itself() {
        assert_eq!(proxied("/a/?q", &[("host", "H")], false).as_deref(), Ok("http://h/a"));
        assert_eq!(proxied("http://h/a", &[("host", "h")], false).as_deref(), Ok("http://h/a"));
        assert_eq!(proxied("http://h", &[], false).as_deref(), Ok("http://h/"));
        assert_eq!(proxied("http://h/a", &[("host", "other")], false), Err(TargetError::TwoHosts));
        assert_eq!(proxied("/a", &[("host", "h"), ("host", "h")], false), Err(TargetError::Header("Host")));
        assert!(proxied("/a", &[], false).is_err() && proxied("*", &[("host", "h")], false).is_err());
        let twice = [("host", "h"), ("authorization", "Bearer a"), ("authorization", "Bearer b")];
        assert_eq!(proxied("/a", &twice, false), Err(TargetError::Header("Authorization")));
        assert_eq!(decision("/decisions/a", &twice, false), Err(http::StatusCode::BAD_REQUEST));
    }

    #[test]
    fn only_the_scheme_is_accepted_and_only_from_a_listed_proxy() {
        let headers =
            [("host", "h"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "evil"), ("x-forwarded-uri", "/b")];
        assert_eq!(proxied("/a", &headers, true).as_deref(), Ok("https://h/a"));
        assert_eq!(proxied("/a", &headers, false).as_deref(), Ok("http://h/a"));
        assert_eq!(proxied("/a", &[("host", "h"), ("x-forwarded-proto", "gopher")], true), Err(TargetError::Scheme));
    }

    #[test]
    fn a_decision_is_about_the_request_that_a_listed_proxy_describes() {
        let headers = [
            ("host", "gateway"),
            ("x-forwarded-method", "POST"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "Api.example"),
            ("x-forwarded-uri", "/a/%62/../c?x=1"),
        ];
        assert_eq!(
            decision("/decisions?y=2", &headers, true).as_deref(),
            Ok("POST https://api.example/a/c Some(\"x=1\")")
        );
        assert_eq!(decision("/decisions", &headers, false), Err(http::StatusCode::FORBIDDEN));
    }

    #[test]
    fn a_decision_without_forwarded_headers_is_about_the_rest_of_its_path() {
        let host = [("host", "api.example")];
        assert_eq!(decision("/decisions/a/b?x", &host, false).as_deref(), Ok("GET http://api.example/a/b Some(\"x\")"));
        assert_eq!(decision("/decisions", &host, true).as_deref(), Ok("GET http://api.example None"));
        assert_eq!(decision("/decisions/", &host, true).as_deref(), Ok("GET http://api.example/ None"));
        let empty = [("host", "api.example"), ("x-forwarded-uri", "")];
        assert_eq!(decision("/decisions/a", &empty, true).as_deref(), Ok("GET http://api.example/a None"));
    }

    #[test]
    fn the_proxy_and_the_decision_api_reject_the_same_attacks() {
        for path in ["/a/..%2fb", "/a\\b", "/%252e%252e/b", "/a/..;/b", "/../b", "/a%00", "/%ff"] {
            let headers = [("host", "h"), ("x-forwarded-uri", path)];
            assert_eq!(decision("/decisions", &headers, true), Err(http::StatusCode::BAD_REQUEST), "{path}");
            if let Ok(uri) = path.parse::<Uri>() {
                let mut parts = parts("/", &headers[..1]);
                parts.uri = uri;
                assert!(of_proxied(&parts, false).is_err(), "{path}");
            }
        }
        let twice = [("host", "h"), ("x-forwarded-uri", "/a"), ("x-forwarded-uri", "/b")];
        assert_eq!(decision("/decisions", &twice, true), Err(http::StatusCode::BAD_REQUEST));
    }
}
