//! What a rule is matched against: method, scheme, host and path of one request, each normalized.
//!
//! The compared text is `scheme://host[:port]path`, without query and fragment. Hosts are compared in lower case (RFC 3986
//! section 3.2.2).

use std::borrow::Cow;

use super::path::{self, PathError, RequestPath};

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

    /// The scheme in `X-Forwarded-Proto`. Some proxies send `ws` or `wss` for a WebSocket.
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

/// A `Host` value in lower case, with its port if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host<'a>(Cow<'a, str>);

/// The text is not a host that all servers interpret alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host is missing or is not a name or address with an optional port")]
pub(crate) struct HostError;

impl<'a> Host<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, HostError> {
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
        // A name may end in a dot (RFC 1034 section 3.1). Other empty labels are rejected: `..` would look like a dot
        // segment.
        let labels_are_sound = || name.strip_suffix('.').unwrap_or(name).split('.').all(|label| !label.is_empty());
        let name_is_sound = name.starts_with('[')
            || name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
                && labels_are_sound();
        if name.is_empty() || !name_is_sound || !port_is_sound {
            return Err(HostError);
        }
        let has_upper_case = text.bytes().any(|byte| byte.is_ascii_uppercase());
        Ok(Self(if has_upper_case { Cow::Owned(text.to_ascii_lowercase()) } else { Cow::Borrowed(text) }))
    }
}

/// Why a request is rejected with 400.
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

/// An authority as rules compare it: without the default port of the scheme (RFC 9110 section 4.2.3).
pub(crate) fn without_default_port<'a>(scheme: &str, authority: &'a str) -> &'a str {
    let port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return authority,
    };
    authority.strip_suffix(port).unwrap_or(authority)
}

/// The target of one request, in one string.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) method: http::Method,
    pub(crate) scheme: Scheme,
    /// `scheme://host/path?query`, the path decoded.
    text: String,
    path_at: usize,
    path_end: usize,
    /// The path as it is forwarded, if it differs from the matched path.
    encoded_path: Option<String>,
    had_trailing_slash: bool,
}

impl Target {
    pub(crate) fn new(
        method: http::Method,
        scheme: Scheme,
        host: &Host<'_>,
        path: &RequestPath<'_>,
        query: Option<&str>,
    ) -> Self {
        let decoded = path.decoded();
        let host = without_default_port(scheme.as_str(), &host.0);
        let path_at = scheme.as_str().len() + SEPARATOR.len() + host.len();
        let path_end = path_at + decoded.len();
        let mut text = String::with_capacity(path_end + query.map_or(0, |query| query.len() + 1));
        text.extend([scheme.as_str(), SEPARATOR, host, decoded]);
        if let Some(query) = query {
            text.push('?');
            text.push_str(query);
        }
        let encoded_path = path.is_encoded().then(|| path.forwarded().to_owned());
        Self { method, scheme, text, path_at, path_end, encoded_path, had_trailing_slash: path.had_trailing_slash() }
    }

    /// `scheme://host/path`, the text that rules are compared with.
    pub(crate) fn url(&self) -> &str {
        &self.text[..self.path_end]
    }

    /// [`url`](Self::url) as seen by servers that remove path parameters. `None` when the path has none.
    pub(crate) fn url_without_parameters(&self) -> Result<Option<String>, PathError> {
        let path = path::without_parameters(self.path(), self.forwarded_path())?;
        Ok(path.map(|path| format!("{}{path}", &self.text[..self.path_at])))
    }

    pub(crate) fn host(&self) -> &str {
        &self.text[self.scheme.as_str().len() + SEPARATOR.len()..self.path_at]
    }

    /// For rules and templates.
    pub(crate) fn path(&self) -> &str {
        &self.text[self.path_at..self.path_end]
    }

    /// For the upstream.
    pub(crate) fn forwarded_path(&self) -> &str {
        self.encoded_path.as_deref().unwrap_or_else(|| self.path())
    }

    /// Whether the client's path ended in a slash, which normalization removes.
    pub(crate) const fn had_trailing_slash(&self) -> bool {
        self.had_trailing_slash
    }

    pub(crate) fn query(&self) -> Option<&str> {
        self.text.get(self.path_end + 1..)
    }

    /// The URL in its encoded form, query included.
    pub(crate) fn original_url(&self) -> String {
        let mut url = format!("{}{}", &self.text[..self.path_at], self.forwarded_path());
        if self.had_trailing_slash {
            url.push('/');
        }
        url.push_str(&self.text[self.path_end..]);
        url
    }
}

const SEPARATOR: &str = "://";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_port_is_omitted() {
        let url = |scheme, host| {
            let (host, path) = (Host::parse(host).unwrap(), RequestPath::parse("/a").unwrap());
            Target::new(http::Method::GET, scheme, &host, &path, None).url().to_owned()
        };
        assert_eq!(url(Scheme::Http, "h:80"), "http://h/a");
        assert_eq!(url(Scheme::Https, "h:443"), "https://h/a");
        assert_eq!(url(Scheme::Https, "[::1]:443"), "https://[::1]/a");
        assert_eq!(url(Scheme::Https, "h:80"), "https://h:80/a");
        assert_eq!(url(Scheme::Http, "h:8080"), "http://h:8080/a");
    }

    #[test]
    fn hosts_are_names_or_addresses_with_a_port() {
        for (text, expected) in [
            ("Example.COM", "example.com"),
            ("a_b:8080", "a_b:8080"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]:80", "[::1]:80"),
            ("example.com.:80", "example.com.:80"),
        ] {
            assert_eq!(Host::parse(text).unwrap().0, expected);
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
            "..",
            ".",
            ".a",
            "a..b",
            "a..",
        ] {
            assert_eq!(Host::parse(text), Err(HostError), "{text}");
        }
    }

    #[test]
    fn the_compared_text_has_no_query() {
        let (host, path) = (Host::parse("H:1").unwrap(), RequestPath::parse("/a%20b/").unwrap());
        let target = |query| Target::new(http::Method::GET, Scheme::Https, &host, &path, query);
        let asking = target(Some("q=1"));
        assert_eq!((asking.url(), asking.host(), asking.path()), ("https://h:1/a b", "h:1", "/a b"));
        assert_eq!((asking.forwarded_path(), asking.query()), ("/a%20b", Some("q=1")));
        assert_eq!(asking.original_url(), "https://h:1/a%20b/?q=1");
        assert_eq!((target(None).query(), target(Some("")).query()), (None, Some("")));
        assert_eq!(target(None).original_url(), "https://h:1/a%20b/");
    }
}
