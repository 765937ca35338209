//! What a rule is matched against: method, scheme, host and path of one request, each with a single interpretation.
//!
//! The compared text is `scheme://host[:port]path`, without query and fragment. Hosts are compared in lower case
//! (RFC 3986 section 3.2.2).

use std::fmt;

use super::path::{PathError, RequestPath};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The scheme that `X-Forwarded-Proto` names. Some proxies name a WebSocket by its own scheme.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("https") || text.eq_ignore_ascii_case("wss") {
            Some(Self::Https)
        } else if text.eq_ignore_ascii_case("http") || text.eq_ignore_ascii_case("ws") {
            Some(Self::Http)
        } else {
            None
        }
    }
}

/// A host as it stands in `Host`, in lower case, with its port when there was one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host(String);

/// The text is not a host that every server reads alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host is missing or is not a name or address with an optional port")]
pub(crate) struct HostError;

impl Host {
    pub(crate) fn parse(text: &str) -> Result<Self, HostError> {
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, after) = rest.split_once(']').ok_or(HostError)?;
                address.parse::<std::net::Ipv6Addr>().map_err(|_| HostError)?;
                (&text[..address.len() + 2], after)
            }
            None => match text.find(':') {
                Some(colon) => text.split_at(colon),
                None => (text, ""),
            },
        };
        let port_is_sound = match port.strip_prefix(':') {
            Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok(),
            None => port.is_empty(),
        };
        let name_is_sound = name.starts_with('[')
            || name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
        if name.is_empty() || !name_is_sound || !port_is_sound {
            return Err(HostError);
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a request has no single target: 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    #[error(transparent)]
    Path(#[from] PathError),
    #[error(transparent)]
    Host(#[from] HostError),
    #[error("the request names two different hosts")]
    TwoHosts,
    #[error("the header {0} is given more than once or is not text")]
    Header(&'static str),
    #[error("the forwarded method is not a method")]
    Method,
    #[error("the forwarded scheme is neither http nor https")]
    Scheme,
}

/// The target of one request.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) method: http::Method,
    pub(crate) scheme: Scheme,
    pub(crate) host: Host,
    pub(crate) path: RequestPath,
    pub(crate) query: Option<String>,
    /// `scheme://host/path`, the text that rules are compared with.
    url: String,
}

impl Target {
    pub(crate) fn new(
        method: http::Method,
        scheme: Scheme,
        host: Host,
        path: RequestPath,
        query: Option<String>,
    ) -> Self {
        let mut url = String::with_capacity(scheme.as_str().len() + 3 + host.0.len() + path.decoded().len());
        url.push_str(scheme.as_str());
        url.push_str("://");
        url.push_str(&host.0);
        url.push_str(path.decoded());
        Self { method, scheme, host, path, query, url }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The URL as a browser would write it again, query included.
    pub(crate) fn original_url(&self) -> String {
        let mut url = format!("{}://{}{}", self.scheme.as_str(), self.host, self.path.forwarded());
        if self.path.had_trailing_slash() {
            url.push('/');
        }
        if let Some(query) = &self.query {
            url.push('?');
            url.push_str(query);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses_with_a_port() {
        for (text, expected) in [
            ("Example.COM", "example.com"),
            ("a_b:8080", "a_b:8080"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]:80", "[::1]:80"),
        ] {
            assert_eq!(Host::parse(text).map(|host| host.to_string()), Ok(expected.to_owned()));
        }
        for text in [
            "",
            ":80",
            "a b",
            "user@host",
            "a/b",
            "a\\b",
            "a:b",
            "a:",
            "a:99999",
            "[::1",
            "[x]",
            "::1",
            "é",
            "a?b",
            "a%2fb",
        ] {
            assert_eq!(Host::parse(text), Err(HostError), "{text}");
        }
    }

    #[test]
    fn the_compared_text_has_no_query() {
        let path = RequestPath::parse("/a%20b/").unwrap();
        let target =
            Target::new(http::Method::GET, Scheme::Https, Host::parse("H:1").unwrap(), path, Some("q=1".to_owned()));
        assert_eq!(target.url(), "https://h:1/a b");
        assert_eq!(target.original_url(), "https://h:1/a%20b/?q=1");
    }
}
