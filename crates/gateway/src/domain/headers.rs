//! Hop-by-hop header fields (RFC 9110 section 7.6.1), and header names that servers confuse.

use std::cmp::Ordering;

use http::HeaderName;
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};

/// Whether an intermediary must not forward this field.
pub(crate) fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Removes the hop-by-hop fields: the known ones, and those that `Connection` lists. A `Content-Length` next to a transfer
/// coding is removed too (RFC 9112 section 6.1).
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(TRANSFER_ENCODING) {
        headers.remove(CONTENT_LENGTH);
    }
    if headers.contains_key(CONNECTION) {
        let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
        let names = values.flat_map(|value| value.split(',')).filter_map(|name| name.trim().parse().ok());
        let listed: Vec<HeaderName> = names.filter(|name| headers.contains_key(name)).collect();
        for name in listed {
            headers.remove(name);
        }
    }
    remove_where(headers, is_hop_by_hop);
}

/// Removes the fields whose names match. Most requests have none, and cost one check per name.
pub(crate) fn remove_where(headers: &mut HeaderMap, goes: impl Fn(&HeaderName) -> bool) {
    while let Some(name) = headers.keys().find(|name| goes(name)).cloned() {
        headers.remove(name);
    }
}

/// The headers that rules set. The upstream trusts them, so clients may not send them.
///
/// Application servers that turn headers into variables treat `X-User-Id`, `X_User_Id` and `X.User.Id` as one, so all
/// spellings are removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DecidedHeaders {
    /// Folded, sorted and unique.
    names: Vec<String>,
}

impl DecidedHeaders {
    /// Credentials and message framing are excluded: a rule that sets them overwrites them, and the clients of other rules
    /// need them.
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = &'a HeaderName>) -> Self {
        const KEPT: [&str; 6] = ["authorization", "cookie", "host", "content-type", "accept", "user-agent"];
        let names = names.into_iter().map(HeaderName::as_str).filter(|name| !KEPT.contains(name));
        let mut names: Vec<String> = names.map(|name| name.bytes().map(folded).map(char::from).collect()).collect();
        names.sort_unstable();
        names.dedup();
        Self { names }
    }

    pub(crate) fn contains(&self, name: &HeaderName) -> bool {
        self.names.binary_search_by(|decided| compare(decided, name)).is_ok()
    }

    pub(crate) fn remove_from(&self, headers: &mut HeaderMap) {
        if !self.names.is_empty() {
            remove_where(headers, |name| self.contains(name));
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}

/// Headers that frameworks and proxies use in place of the request's method, path or host, so that the upstream would serve
/// another request than the rule matched. Folded and sorted.
///
/// `X-Forwarded-*` and `Forwarded` are not among them: those are removed unless a listed proxy sent them.
const OVERRIDING: [&str; 17] = [
    "x-envoy-original-path",
    "x-host",
    "x-http-host-override",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-host",
    "x-original-method",
    "x-original-path",
    "x-original-uri",
    "x-original-url",
    "x-override-url",
    "x-rewrite-uri",
    "x-rewrite-url",
    "x-scheme",
    "x-script-name",
    "x-waws-unencoded-url",
];

/// Whether upstreams may use this header in place of the request line, in any spelling.
pub(crate) fn is_overriding(name: &HeaderName) -> bool {
    name.as_str().starts_with('x') && OVERRIDING.binary_search_by(|known| compare(known, name)).is_ok()
}

/// Whether this is a forwarding header (RFC 7239, `X-Forwarded-*`), in any spelling.
pub(crate) fn is_forwarded(name: &HeaderName) -> bool {
    let folded = || name.as_str().bytes().map(folded);
    folded().eq(*b"forwarded") || folded().take(FORWARDED.len()).eq(FORWARDED.bytes())
}

/// Headers in which proxies name the client's address, and which frameworks believe. Folded and sorted.
const CLIENT_ADDRESS: [&str; 18] = [
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "client-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "forwarded-for",
    "proxy-client-ip",
    "true-client-ip",
    "wl-proxy-client-ip",
    "x-azure-clientip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-original-forwarded-for",
    "x-originating-ip",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-ip",
];

/// Whether this header names the client's address, in any spelling.
pub(crate) fn is_client_address(name: &HeaderName) -> bool {
    CLIENT_ADDRESS.binary_search_by(|known| compare(known, name)).is_ok()
}

const FORWARDED: &str = "x-forwarded";

/// The overriding headers, and those with the client's address, that a rule allows (`upstream.keep_headers`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeptHeaders(Vec<String>);

impl KeptHeaders {
    /// The error names the invalid header name.
    pub(crate) fn new(names: &[String]) -> Result<Self, String> {
        let folded = |text: &String| match text.parse::<HeaderName>() {
            Ok(name) => Ok(name.as_str().bytes().map(folded).map(char::from).collect()),
            Err(_) => Err(format!("keep_headers: `{text}` is not a header name")),
        };
        names.iter().map(folded).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn contains(&self, name: &HeaderName) -> bool {
        self.0.iter().any(|kept| compare(kept, name) == Ordering::Equal)
    }
}

fn compare(decided: &str, name: &HeaderName) -> Ordering {
    decided.bytes().cmp(name.as_str().bytes().map(folded))
}

/// Characters in a name that servers treat as equal.
const fn folded(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte } else { b'-' }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn hop_by_hop_fields_are_removed() {
        let mut sent = headers(&[
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("content-length", "5"),
            ("x-end", "2"),
        ]);
        remove_hop_by_hop(&mut sent);
        assert_eq!(sent, headers(&[("x-end", "2")]));
    }

    #[test]
    fn overriding_headers_are_recognized_in_any_spelling_and_a_rule_may_keep_them() {
        assert!(OVERRIDING.is_sorted());
        let sent = headers(&[
            ("X-Original-URL", ""),
            ("X_Original_Url", ""),
            ("x-original_url", ""),
            ("x.rewrite.url", ""),
            ("X-HTTP-Method-Override", ""),
            ("x_http_method", ""),
        ]);
        assert!(sent.keys().all(is_overriding), "{sent:?}");
        let others =
            headers(&[("x-original", ""), ("x-original-urls", ""), ("original-url", ""), ("x-request-id", "")]);
        assert!(!others.keys().any(is_overriding), "{others:?}");
        let kept = KeptHeaders::new(&["X-HTTP-Method-Override".to_owned()]).unwrap();
        let name = |text: &'static str| HeaderName::from_static(text);
        assert!(kept.contains(&name("x-http-method-override")) && kept.contains(&name("x_http_method_override")));
        assert!(!kept.contains(&name("x-http-method")));
        assert!(KeptHeaders::new(&["a b".to_owned()]).is_err());
    }

    #[test]
    fn forwarding_headers_are_recognized_in_any_spelling() {
        let forwarding = [
            "Forwarded",
            "X-Forwarded-For",
            "X_Forwarded_For",
            "X.Forwarded.Host",
            "x-forwarded.proto",
            "x~forwarded~for",
        ];
        assert!(forwarding.iter().all(|name| is_forwarded(&name.parse().unwrap())));
        let others = ["forward", "forwarded-for", "x-forward", "xforwarded-for", "x-request-id"];
        assert!(!others.iter().any(|name| is_forwarded(&name.parse().unwrap())));
    }

    #[test]
    fn headers_with_the_clients_address_are_recognized_in_any_spelling() {
        assert!(CLIENT_ADDRESS.is_sorted());
        let naming = ["X-Real-IP", "X_Real_Ip", "x.real.ip", "True-Client-IP", "CF-Connecting-IP", "client_ip"];
        assert!(naming.iter().all(|name| is_client_address(&name.parse().unwrap())));
        let others = ["real-ip", "x-real-ips", "x-realip", "x-client", "x-request-id", "accept"];
        assert!(!others.iter().any(|name| is_client_address(&name.parse().unwrap())));
    }

    #[test]
    fn decided_headers_are_removed_in_any_spelling() {
        let names = headers(&[("x-user-id", ""), ("authorization", "")]);
        let decided = DecidedHeaders::new(names.keys());
        let mut sent = headers(&[
            ("X-User-Id", "a"),
            ("x_user_id", "b"),
            ("x-user_id", "c"),
            ("x.user.id", "e"),
            ("authorization", "d"),
            ("x-user", "f"),
        ]);
        decided.remove_from(&mut sent);
        assert_eq!(sent, headers(&[("authorization", "d"), ("x-user", "f")]));
    }
}
