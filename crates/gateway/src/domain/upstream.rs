//! Where a rule sends what it lets through: the upstream's URL and the path under it.

use http::Uri;
use http::uri::{Authority, PathAndQuery};
use url::Url;

use super::path::RequestPath;
use super::rule;
use super::target::Target;

#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    pub(crate) protocol: Protocol,
    authority: Authority,
    /// Without a slash at its end; empty for the root.
    base_path: String,
    /// Without slashes around it; empty when nothing is stripped.
    strip: String,
    pub(crate) preserve_host: bool,
    preserve_trailing_slash: bool,
    pub(crate) forwarded_headers: bool,
}

/// What is spoken with the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    /// HTTP/2 where the upstream offers it.
    Https,
    /// HTTP/2 without TLS (`h2c://`), for gRPC.
    H2c,
}

impl Upstream {
    /// `None` when the rule has no upstream; the error says what is wrong with its URL.
    pub(crate) fn compile(settings: &rule::Upstream) -> Result<Option<Self>, String> {
        if settings.url.is_empty() {
            return Ok(None);
        }
        let url: Url = settings.url.parse().map_err(|error| format!("`{}`: {error}", settings.url))?;
        let protocol = match url.scheme() {
            "http" => Protocol::Http,
            "https" => Protocol::Https,
            "h2c" => Protocol::H2c,
            other => return Err(format!("the scheme `{other}` is not supported: use http, https or h2c")),
        };
        if protocol == Protocol::H2c && settings.preserve_host {
            return Err("`preserve_host` is not offered with h2c: HTTP/2 would name two hosts".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it holds a name or a password".to_owned());
        }
        let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let authority = authority.parse().map_err(|_| format!("`{}` has no host", settings.url))?;
        let path = if url.path().is_empty() { "/" } else { url.path() };
        let base_path = RequestPath::parse(path).map_err(|error| error.to_string())?;
        let strip = format!("/{}", settings.strip_path.trim_matches('/'));
        let strip = RequestPath::parse(&strip).map_err(|error| format!("strip_path: {error}"))?;
        Ok(Some(Self {
            protocol,
            authority,
            base_path: base_path.forwarded().trim_end_matches('/').to_owned(),
            strip: strip.forwarded().trim_matches('/').to_owned(),
            preserve_host: settings.preserve_host,
            preserve_trailing_slash: settings.preserve_trailing_slash,
            forwarded_headers: settings.forwarded_headers,
        }))
    }

    /// The URI to request; `None` when it would be no URI, which no normalised path makes happen. `asked` is what the
    /// client asked for: where nothing is changed in it, it is passed on.
    pub(crate) fn uri(&self, target: &Target, asked: Option<&PathAndQuery>) -> Option<Uri> {
        let unchanged = |asked: &&PathAndQuery| {
            self.base_path.is_empty()
                && self.strip.is_empty()
                && asked.path() == target.forwarded_path()
                && asked.query() == target.query()
        };
        let path_and_query = match asked.filter(unchanged) {
            Some(asked) => asked.clone(),
            None => PathAndQuery::try_from(self.path_and_query(target)).ok()?,
        };
        let scheme = if self.protocol == Protocol::Https { http::uri::Scheme::HTTPS } else { http::uri::Scheme::HTTP };
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(scheme);
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path_and_query);
        Uri::from_parts(parts).ok()
    }

    fn path_and_query(&self, target: &Target) -> String {
        let (forwarded, query) = (target.forwarded_path(), target.query());
        let length = self.base_path.len() + forwarded.len() + 2 + query.map_or(0, str::len);
        let mut path = String::with_capacity(length);
        path.push_str(&self.base_path);
        if forwarded != "/" {
            path.push_str(forwarded);
        }
        if !self.strip.is_empty() {
            path = without_segments(&path, &self.strip);
        }
        let wants_slash = self.preserve_trailing_slash && target.had_trailing_slash();
        if path.is_empty() || (wants_slash && !path.ends_with('/')) {
            path.push('/');
        }
        if let Some(query) = query {
            path.push('?');
            path.push_str(query);
        }
        path
    }
}

/// Takes the first occurrence of these whole segments out of the path.
fn without_segments(path: &str, segments: &str) -> String {
    let mut from = 0;
    while let Some(found) = path[from..].find(segments) {
        let (start, end) = (from + found, from + found + segments.len());
        let begins = start > 0 && path.as_bytes()[start - 1] == b'/';
        let ends = path.as_bytes().get(end).is_none_or(|byte| *byte == b'/');
        if begins && ends {
            return format!("{}{}", &path[..start - 1], &path[end..]);
        }
        from = start + 1;
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::target::{Host, Scheme};

    fn uri(url: &str, strip_path: &str, slash: bool, path: &str) -> String {
        let settings = rule::Upstream {
            url: url.to_owned(),
            strip_path: strip_path.to_owned(),
            preserve_trailing_slash: slash,
            ..rule::Upstream::default()
        };
        let asked: PathAndQuery = path.parse().unwrap();
        let path = RequestPath::parse(asked.path()).unwrap();
        let target = Target::new(http::Method::GET, Scheme::Http, &Host::parse("h").unwrap(), &path, asked.query());
        let upstream = Upstream::compile(&settings).unwrap().unwrap();
        let uri = upstream.uri(&target, Some(&asked)).unwrap();
        assert_eq!(upstream.uri(&target, None).as_ref(), Some(&uri), "what is passed on is what would be made");
        uri.to_string()
    }

    #[test]
    fn the_path_is_put_under_the_upstreams() {
        assert_eq!(uri("http://u:1", "", false, "/a/b?x=%2F&y"), "http://u:1/a/b?x=%2F&y");
        assert_eq!(uri("http://u/base/", "", false, "/a%20b/"), "http://u/base/a%20b");
        assert_eq!(uri("http://u/base", "", false, "/"), "http://u/base");
        assert_eq!(uri("https://u", "", false, "/"), "https://u/");
        assert_eq!(uri("h2c://u:5", "", false, "/s"), "http://u:5/s");
        assert_eq!(uri("http://u", "", true, "/a/"), "http://u/a/");
        assert_eq!(uri("http://u", "", false, "/a/?"), "http://u/a?");
    }

    #[test]
    fn whole_segments_are_stripped() {
        assert_eq!(uri("http://u", "/api/", false, "/api/x"), "http://u/x");
        assert_eq!(uri("http://u/base", "api/v1", false, "/api/v1/x"), "http://u/base/x");
        assert_eq!(uri("http://u", "api", false, "/api"), "http://u/");
        assert_eq!(uri("http://u", "api", false, "/apiary/x"), "http://u/apiary/x");
        assert_eq!(uri("http://u", "api", false, "/apiary/api/x"), "http://u/apiary/x");
        assert_eq!(uri("http://u", "b", false, "/a/b/b"), "http://u/a/b");
    }

    #[test]
    fn an_upstream_that_is_no_place_is_refused() {
        for url in ["u:80", "ftp://u", "http://user:pw@u", "/relative"] {
            let settings = rule::Upstream { url: url.to_owned(), ..rule::Upstream::default() };
            assert!(Upstream::compile(&settings).is_err(), "{url}");
        }
        let url = "h2c://u".to_owned();
        assert!(Upstream::compile(&rule::Upstream { url, preserve_host: true, ..rule::Upstream::default() }).is_err());
        assert!(Upstream::compile(&rule::Upstream::default()).unwrap().is_none());
    }
}
