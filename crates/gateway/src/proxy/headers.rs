//! The headers of a request for the upstream.

use http::header::{CONNECTION, COOKIE, EXPECT, HOST, HeaderMap, TE, UPGRADE};
use http::{HeaderName, HeaderValue};

use crate::domain::headers::{
    DecidedHeaders, KeptHeaders, is_client_address, is_forwarded, is_overriding, remove_hop_by_hop, remove_where,
};
use crate::domain::session::SetHeaders;
use crate::domain::target::Target;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The settings for the headers of one request.
pub(super) struct HeaderRules<'a> {
    pub(super) decided: &'a DecidedHeaders,
    /// The headers that this rule also removes.
    pub(super) removed: &'a [HeaderName],
    /// The headers overriding the request line, and naming the client's address, that this rule allows.
    pub(super) kept: &'a KeptHeaders,
    /// Whether the peer is a listed proxy, whose forwarding headers are passed on.
    pub(super) is_forwarder: bool,
    pub(super) preserve_host: bool,
    /// The client to name in forwarding headers, if the rule enables them.
    pub(super) client: Option<(std::net::IpAddr, &'a Target)>,
}

impl HeaderRules<'_> {
    /// Turns the client's headers into the upstream's. `upgrade` is the protocol that the client wants to switch to.
    pub(super) fn apply(&self, headers: &mut HeaderMap, set: SetHeaders, upgrade: Option<&HeaderValue>) {
        let takes_trailers = lists(headers, &TE, "trailers");
        remove_hop_by_hop(headers);
        if !self.preserve_host {
            headers.remove(HOST);
        }
        join_cookies(headers);
        remove_where(headers, |name| self.is_removed(name));
        if takes_trailers {
            headers.insert(TE, HeaderValue::from_static("trailers"));
        }
        if let Some(protocol) = upgrade {
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(UPGRADE, protocol.clone());
        }
        if let Some((address, target)) = self.client {
            add_forwarded(headers, address, target);
        }
        for (name, value) in set {
            headers.insert(name, value);
        }
    }

    /// Headers that the client sent and the upstream must not receive.
    fn is_removed(&self, name: &HeaderName) -> bool {
        // The body is sent without waiting for a 100.
        *name == EXPECT
            // CGI turns it into the variable `HTTP_PROXY`, which programs use for their own requests.
            || *name == "proxy"
            || (!self.is_forwarder && is_forwarded(name))
            || (!self.is_forwarder && is_client_address(name) && !self.kept.contains(name))
            || (is_overriding(name) && !self.kept.contains(name))
            || self.decided.contains(name)
            || self.removed.contains(name)
    }
}

/// Appends our hop to the forwarding headers of a listed proxy; those of other peers are already removed.
fn add_forwarded(headers: &mut HeaderMap, address: std::net::IpAddr, target: &Target) {
    let before: Vec<&str> = headers.get_all(X_FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()).collect();
    let chain = before.into_iter().map(str::to_owned).chain([address.to_string()]).collect::<Vec<_>>().join(", ");
    for (name, value) in [
        (X_FORWARDED_FOR, chain.as_str()),
        (X_FORWARDED_HOST, target.host()),
        (X_FORWARDED_PROTO, target.scheme.as_str()),
    ] {
        if let Ok(value) = HeaderValue::from_str(value)
            && (name == X_FORWARDED_FOR || !headers.contains_key(&name))
        {
            headers.insert(name, value);
        }
    }
}

/// HTTP/2 may split cookies into several fields, HTTP/1.1 may not (RFC 9113 section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    if headers.get_all(COOKIE).iter().nth(1).is_none() {
        return;
    }
    let joined: Vec<u8> =
        headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect::<Vec<_>>().join(&b"; "[..]);
    if let Ok(joined) = HeaderValue::from_bytes(&joined) {
        headers.insert(COOKIE, joined);
    }
}

/// The protocol that the client wants to switch to (RFC 9110 section 7.8), if it is a WebSocket. Others are dropped: over
/// `h2c` a client could send requests that no rule has checked.
pub(super) fn wanted_upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let is_websocket = lists(headers, &CONNECTION, "upgrade") && lists(headers, &UPGRADE, "websocket");
    is_websocket.then(|| HeaderValue::from_static("websocket"))
}

/// Whether the list in this field contains the token.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|it| it.trim().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::path::RequestPath;
    use crate::domain::target::{Host, Scheme};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn applied(
        sent: &[(&'static str, &'static str)],
        is_forwarder: bool,
        preserve_host: bool,
        client: Option<(std::net::IpAddr, &Target)>,
    ) -> HeaderMap {
        let decided = DecidedHeaders::new(headers(&[("x-user", "")]).keys());
        let mut set = SetHeaders::default();
        set.insert(HeaderName::from_static("x-role"), HeaderValue::from_static("r"));
        let removed = [HeaderName::from_static("x-secret")];
        let kept = KeptHeaders::default();
        let rules =
            HeaderRules { decided: &decided, removed: &removed, kept: &kept, is_forwarder, preserve_host, client };
        let mut sent = headers(sent);
        rules.apply(&mut sent, set, None);
        sent
    }

    #[test]
    fn the_upstream_gets_the_rules_headers_and_no_forged_ones() {
        let sent = [
            ("host", "h"),
            ("x-user", "mallory"),
            ("x_user", "mallory"),
            ("x-role", "admin"),
            ("x-secret", "s"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-whatever", "x"),
            ("x.forwarded.for", "1.2.3.4"),
            ("x-real-ip", "1.2.3.4"),
            ("x_real_ip", "1.2.3.4"),
            ("true-client-ip", "1.2.3.4"),
            ("forwarded", "for=1.2.3.4"),
            ("connection", "close, x-hop"),
            ("x-hop", "1"),
            ("expect", "100-continue"),
            ("proxy", "http://evil.example"),
            ("accept", "a"),
        ];
        assert_eq!(applied(&sent, false, false, None), headers(&[("accept", "a"), ("x-role", "r")]));
    }

    #[test]
    fn forwarding_headers_of_a_listed_proxy_are_kept_and_our_hop_is_added_if_the_rule_says_so() {
        let (host, path) = (Host::parse("h:1").unwrap(), RequestPath::parse("/").unwrap());
        let target = Target::new(http::Method::GET, Scheme::Http, &host, &path, None);
        let sent = [("x-forwarded-for", "1.2.3.4"), ("x-forwarded-proto", "https")];
        let trusted = applied(&sent, true, false, None);
        assert_eq!(trusted, headers(&[sent[0], sent[1], ("x-role", "r")]));
        let client = Some(("10.0.0.1".parse().unwrap(), &target));
        let both = applied(&sent, true, false, client);
        assert_eq!(both["x-forwarded-for"], "1.2.3.4, 10.0.0.1");
        assert_eq!(both["x-forwarded-proto"], "https");
        assert_eq!(both["x-forwarded-host"], "h:1");
        let untrusted = applied(&sent, false, false, client);
        assert_eq!(
            (&untrusted["x-forwarded-for"], &untrusted["x-forwarded-proto"]),
            (&HeaderValue::from_static("10.0.0.1"), &HeaderValue::from_static("http"))
        );
    }

    #[test]
    fn a_listed_proxy_or_a_rule_lets_the_clients_address_through() {
        let sent = [("x-real-ip", "1.2.3.4")];
        let kept = headers(&[sent[0], ("x-role", "r")]);
        assert_eq!(applied(&sent, true, false, None), kept);
        let allowed = KeptHeaders::new(&["X-Real-IP".to_owned()]).unwrap();
        let decided = DecidedHeaders::default();
        let rules = HeaderRules {
            decided: &decided,
            removed: &[],
            kept: &allowed,
            is_forwarder: false,
            preserve_host: false,
            client: None,
        };
        let mut headers = headers(&sent);
        rules.apply(&mut headers, SetHeaders::default(), None);
        assert_eq!(headers["x-real-ip"], "1.2.3.4");
    }

    #[test]
    fn trailers_host_and_cookies_are_kept_in_order() {
        let sent = [("te", "gzip, trailers"), ("host", "h"), ("cookie", "a=1"), ("cookie", "b=2")];
        let kept = applied(&sent, false, true, None);
        assert_eq!(kept, headers(&[("te", "trailers"), ("host", "h"), ("cookie", "a=1; b=2"), ("x-role", "r")]));
    }

    #[test]
    fn an_upgrade_needs_both_fields_and_is_a_websocket() {
        let wanted = |connection: &'static str, upgrade: &'static str| {
            wanted_upgrade(&headers(&[("connection", connection), ("upgrade", upgrade)]))
        };
        assert_eq!(wanted("keep-alive, Upgrade", "WebSocket").unwrap(), "websocket");
        assert_eq!(wanted("upgrade", "h2c, websocket").unwrap(), "websocket");
        assert_eq!(wanted("upgrade", "h2c"), None);
        assert_eq!(wanted("close", "websocket"), None);
        assert!(wanted_upgrade(&headers(&[("connection", "upgrade")])).is_none());
    }
}
