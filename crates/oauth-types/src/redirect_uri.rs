//! Redirect URIs (RFC 6749 section 3.1.2, RFC 8252 sections 7.1 and 7.3, RFC 9700 section 4.1.3).
//!
//! They are compared byte for byte. The only exception is the port of a loopback address, which a native application does
//! not know in advance.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

/// An absolute URI without a fragment, stored as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUri {
    text: String,
    url: Url,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    #[error("the redirect URI is not an absolute URI")]
    NotAbsolute,
    #[error("the redirect URI has a fragment")]
    Fragment,
    #[error("the redirect URI has a scheme that a browser would execute or open locally")]
    Scheme,
    #[error("the redirect URI has characters that are not allowed in a URI")]
    Characters,
}

/// Schemes that do not lead to a client or that execute the URI.
const FORBIDDEN_SCHEMES: [&str; 8] =
    ["javascript", "data", "vbscript", "file", "blob", "about", "view-source", "filesystem"];

impl RedirectUri {
    pub fn parse(text: &str) -> Result<Self, RedirectUriError> {
        // RFC 3986 section 2: a URI is printable ASCII. Parsers would interpret other characters differently.
        if !text
            .bytes()
            .all(|byte| matches!(byte, b'!'..=b'~') && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`'))
        {
            return Err(RedirectUriError::Characters);
        }
        if text.contains('#') {
            return Err(RedirectUriError::Fragment);
        }
        let url = Url::parse(text).map_err(|_| RedirectUriError::NotAbsolute)?;
        if FORBIDDEN_SCHEMES.contains(&url.scheme()) {
            return Err(RedirectUriError::Scheme);
        }
        Ok(Self { text: text.to_owned(), url })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn as_url(&self) -> &Url {
        &self.url
    }

    /// Whether responses may be sent there: over TLS, to the local machine, or to an application by its private-use scheme.
    pub fn is_secure(&self) -> bool {
        self.url.scheme() != "http" || self.is_this_machine()
    }

    fn is_this_machine(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Whether this is an `http` URI with a loopback IP address, for which RFC 8252 section 7.3 ignores the port. The name
    /// `localhost` does not count: it may resolve elsewhere.
    fn is_loopback_literal(&self) -> bool {
        let address = match self.url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return false,
        };
        self.url.scheme() == "http" && address.is_loopback()
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether `requested` matches the `registered` URI.
pub fn redirect_uri_matches(registered: &str, requested: &RedirectUri) -> bool {
    if registered == requested.text {
        return true;
    }
    if !requested.is_loopback_literal() {
        return false;
    }
    let Ok(registered) = RedirectUri::parse(registered) else { return false };
    registered.is_loopback_literal()
        && without_port(&registered).is_some_and(|text| Some(text) == without_port(requested))
}

/// The text before and after the port, as written: `None` for forms that only a lenient parser accepts.
fn without_port(uri: &RedirectUri) -> Option<(&str, &str)> {
    let rest = uri.text.strip_prefix("http://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    if authority.contains('@') {
        return None;
    }
    let host_end =
        if authority.starts_with('[') { authority.find(']')? + 1 } else { authority.find(':').unwrap_or(end) };
    let (host, port) = authority.split_at(host_end);
    let port_is_number = port.is_empty()
        || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok() && !port.starts_with('+'));
    port_is_number.then_some((host, tail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(registered: &str, requested: &str) -> bool {
        RedirectUri::parse(requested).is_ok_and(|requested| redirect_uri_matches(registered, &requested))
    }

    #[test]
    fn uris_match_byte_for_byte() {
        assert!(matches("https://rp.example/cb", "https://rp.example/cb"));
        for requested in [
            "https://rp.example/cb/",
            "https://rp.example/cb?x=1",
            "https://RP.example/cb",
            "https://rp.example:443/cb",
            "https://rp.example/../cb",
            "https://rp.example/%63b",
            "https://rp.example@evil.example/cb",
            "https://rp.example/cb#x",
            "//rp.example/cb",
        ] {
            assert!(!matches("https://rp.example/cb", requested), "{requested}");
        }
    }

    #[test]
    fn the_port_of_a_loopback_address_is_ignored() {
        assert!(matches("http://127.0.0.1/cb", "http://127.0.0.1:8123/cb"));
        assert!(matches("http://127.0.0.1:1/cb?a=b", "http://127.0.0.1:8123/cb?a=b"));
        assert!(matches("http://[::1]/cb", "http://[::1]:8123/cb"));
        for (registered, requested) in [
            ("http://127.0.0.1/cb", "http://127.0.0.1:8123/other"),
            ("http://127.0.0.1/cb", "http://127.0.0.2:8123/cb"),
            ("http://127.0.0.1/cb", "https://127.0.0.1:8123/cb"),
            ("http://localhost/cb", "http://localhost:8123/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:8123@evil.example/cb"),
            ("http://127.0.0.1/cb", "http://user@127.0.0.1:8123/cb"),
            ("http://127.0.0.1/cb", "http://127.1:8123/cb"),
            ("https://127.0.0.1/cb", "http://127.0.0.1:8123/cb"),
        ] {
            assert!(!matches(registered, requested), "{registered} {requested}");
        }
    }

    #[test]
    fn other_than_absolute_uris_are_rejected() {
        for text in
            ["", "/cb", "rp.example", "https://rp.example/\u{e9}", "https://rp.example/a b", "javascript:alert(1)"]
        {
            assert!(RedirectUri::parse(text).is_err(), "{text}");
        }
        assert!(RedirectUri::parse("com.example.app:/cb").unwrap().is_secure());
        assert!(!RedirectUri::parse("http://rp.example/cb").unwrap().is_secure());
        assert!(RedirectUri::parse("http://app.localhost/cb").unwrap().is_secure());
        assert!(!RedirectUri::parse("http://localhost.evil.example/cb").unwrap().is_secure());
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_a_uri_matches_itself(text in "\\PC{0,60}") {
            if let Ok(uri) = RedirectUri::parse(&text) {
                prop_assert!(redirect_uri_matches(&text, &uri));
            }
        }

        #[test]
        fn a_match_differs_at_most_in_the_port_of_a_loopback_address(
            registered in "http://(127.0.0.1|\\[::1\\]|localhost|a.example)(:[0-9]{1,5})?(/[a-z]{0,3})?",
            requested in "http://(127.0.0.1|\\[::1\\]|localhost|a.example)(:[0-9]{1,5})?(/[a-z]{0,3})?",
        ) {
            let Ok(requested_uri) = RedirectUri::parse(&requested) else { return Ok(()) };
            if redirect_uri_matches(&registered, &requested_uri) && registered != requested {
                let strip = |text: &str| {
                    let url = Url::parse(text).unwrap();
                    (url.host_str().unwrap().to_owned(), url.path().to_owned())
                };
                prop_assert_eq!(strip(&registered), strip(&requested));
                prop_assert!(!requested.contains("localhost") && !requested.contains("example"));
            }
        }
    }
}
