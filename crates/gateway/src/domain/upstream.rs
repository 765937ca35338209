//! Where a rule forwards requests: the upstream's URL and the path below it.

use http::Uri;
use http::uri::{Authority, PathAndQuery};
use serde::{Deserialize, Serialize};
use url::Url;

use super::path::RequestPath;
use super::rule;
use super::target::Target;

#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    pub(crate) protocol: Protocol,
    authority: Authority,
    /// Empty for the root. A configured trailing slash is kept.
    base_path: String,
    paths: UpstreamPaths,
    /// Without surrounding slashes; empty when nothing is stripped.
    strip: String,
    pub(crate) preserve_host: bool,
    preserve_trailing_slash: bool,
    pub(crate) forwarded_headers: bool,
}

/// How the upstream path is built from its base path and the request's path (`access_rules.upstream_paths`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamPaths {
    /// `strip_path` removes whole segments of the request's path, and a trailing slash is kept.
    #[default]
    Exact,
    /// As in Oathkeeper: the first textual occurrence of `strip_path` is removed from the joined path, base path included,
    /// and a trailing slash is lost.
    Oathkeeper,
}

/// The protocol of the upstream connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    /// HTTP/2 where the upstream offers it.
    Https,
    /// HTTP/2 without TLS (`h2c://`), for gRPC.
    H2c,
}

impl Upstream {
    /// `None` when the rule has no upstream; the error explains what is wrong with its URL.
    pub(crate) fn compile(settings: &rule::Upstream, paths: UpstreamPaths) -> Result<Option<Self>, String> {
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
            return Err("`preserve_host` is not supported with h2c: HTTP/2 would name two hosts".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it contains a user name or a password".to_owned());
        }
        let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let authority = authority.parse().map_err(|_| format!("`{}` has no host", settings.url))?;
        let path = if url.path().is_empty() { "/" } else { url.path() };
        let base_path = RequestPath::parse(path).map_err(|error| error.to_string())?;
        let mut base = base_path.forwarded().trim_end_matches('/').to_owned();
        if base_path.had_trailing_slash() && paths == UpstreamPaths::Exact {
            base.push('/');
        }
        let strip = format!("/{}", settings.strip_path.trim_matches('/'));
        let strip = RequestPath::parse(&strip).map_err(|error| format!("strip_path: {error}"))?;
        Ok(Some(Self {
            protocol,
            authority,
            base_path: base,
            paths,
            strip: strip.forwarded().trim_matches('/').to_owned(),
            preserve_host: settings.preserve_host,
            preserve_trailing_slash: settings.preserve_trailing_slash.unwrap_or(paths == UpstreamPaths::Exact),
            forwarded_headers: settings.forwarded_headers,
        }))
    }

    /// The URI to request. `None` when stripping leaves no valid URI. `requested` is the path and query of the client,
    /// which are reused when the rule changes neither.
    pub(crate) fn uri(&self, target: &Target, requested: Option<&PathAndQuery>) -> Option<Uri> {
        let unchanged = |requested: &&PathAndQuery| {
            self.base_path.is_empty()
                && self.strip.is_empty()
                && requested.path() == target.forwarded_path()
                && requested.query() == target.query()
        };
        let path_and_query = match requested.filter(unchanged) {
            Some(requested) => requested.clone(),
            None => self.path_and_query(target)?,
        };
        let scheme = if self.protocol == Protocol::Https { http::uri::Scheme::HTTPS } else { http::uri::Scheme::HTTP };
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(scheme);
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path_and_query);
        Uri::from_parts(parts).ok()
    }

    fn path_and_query(&self, target: &Target) -> Option<PathAndQuery> {
        let (forwarded, query) = (target.forwarded_path(), target.query());
        let length = self.base_path.len() + forwarded.len() + 2 + query.map_or(0, str::len);
        let mut path = String::with_capacity(length);
        let base = self.base_path.trim_end_matches('/');
        path.push_str(base);
        let own = if forwarded == "/" { "" } else { forwarded };
        match self.paths {
            _ if self.strip.is_empty() => path.push_str(own),
            UpstreamPaths::Exact => path.push_str(&without_segments(own, &self.strip)),
            UpstreamPaths::Oathkeeper => {
                path.push_str(own);
                path = path.replacen(&format!("/{}", self.strip), "", 1);
            }
        }
        let is_base_alone = path.len() == base.len() && base.len() < self.base_path.len();
        let wants_slash = is_base_alone || (self.preserve_trailing_slash && target.had_trailing_slash());
        if path.is_empty() || (wants_slash && !path.ends_with('/')) {
            path.push('/');
        }
        if let Some(query) = query {
            path.push('?');
            path.push_str(query);
        }
        // Removing a part of a segment may leave a dot segment, or a path that does not begin with a slash.
        if self.paths == UpstreamPaths::Oathkeeper && !self.strip.is_empty() {
            let whole = path.split('?').next().unwrap_or_default();
            let bare = whole.strip_suffix('/').filter(|bare| !bare.is_empty()).unwrap_or(whole);
            RequestPath::parse(bare).ok().filter(|read| read.forwarded() == bare)?;
        }
        PathAndQuery::try_from(path).ok()
    }
}

/// Removes the first occurrence of these whole segments from the path.
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

    fn uri_as(paths: UpstreamPaths, settings: &rule::Upstream, path: &str) -> String {
        let requested: PathAndQuery = path.parse().unwrap();
        let path = RequestPath::parse(requested.path()).unwrap();
        let target = Target::new(http::Method::GET, Scheme::Http, &Host::parse("h").unwrap(), &path, requested.query());
        let upstream = Upstream::compile(settings, paths).unwrap().unwrap();
        let uri = upstream.uri(&target, Some(&requested)).unwrap();
        assert_eq!(upstream.uri(&target, None).as_ref(), Some(&uri), "reusing the client's path gives the same URI");
        uri.to_string()
    }

    fn settings(url: &str, strip_path: &str) -> rule::Upstream {
        rule::Upstream { url: url.to_owned(), strip_path: strip_path.to_owned(), ..rule::Upstream::default() }
    }

    fn uri(url: &str, strip_path: &str, path: &str) -> String {
        uri_as(UpstreamPaths::Exact, &settings(url, strip_path), path)
    }

    #[test]
    fn the_path_is_appended_to_the_upstreams_path() {
        assert_eq!(uri("http://u:1", "", "/a/b?x=%2F&y"), "http://u:1/a/b?x=%2F&y");
        assert_eq!(uri("http://u/base/", "", "/a%20b"), "http://u/base/a%20b");
        assert_eq!(uri("http://u/base", "", "/"), "http://u/base");
        assert_eq!(uri("https://u", "", "/"), "https://u/");
        assert_eq!(uri("h2c://u:5", "", "/s"), "http://u:5/s");
        assert_eq!(uri("http://u", "", "/a?"), "http://u/a?");
    }

    #[test]
    fn a_trailing_slash_is_kept_unless_the_rule_says_otherwise() {
        assert_eq!(uri("http://u", "", "/a/"), "http://u/a/");
        assert_eq!(uri("http://u", "", "/a/?q"), "http://u/a/?q");
        assert_eq!(uri("http://u/base", "", "/a//"), "http://u/base/a/");
        assert_eq!(uri("http://u/base/", "", "/"), "http://u/base/");
        assert_eq!(uri("http://u/base/", "/a", "/a"), "http://u/base/");
        assert_eq!(uri("http://u", "/api", "/api/"), "http://u/");
        let lost = rule::Upstream { preserve_trailing_slash: Some(false), ..settings("http://u", "") };
        assert_eq!(uri_as(UpstreamPaths::Exact, &lost, "/a/"), "http://u/a");
    }

    #[test]
    fn whole_segments_of_the_requests_path_are_stripped() {
        assert_eq!(uri("http://u", "/api/", "/api/x"), "http://u/x");
        assert_eq!(uri("http://u/base", "api/v1", "/api/v1/x"), "http://u/base/x");
        assert_eq!(uri("http://u", "api", "/api"), "http://u/");
        assert_eq!(uri("http://u", "api", "/apiary/x"), "http://u/apiary/x");
        assert_eq!(uri("http://u", "api", "/apiary/api/x"), "http://u/apiary/x");
        assert_eq!(uri("http://u", "b", "/a/b/b"), "http://u/a/b");
        // The upstream's own path stays.
        assert_eq!(uri("http://u/api", "/api", "/api/x/"), "http://u/api/x/");
        assert_eq!(uri("http://u/api", "/api", "/other"), "http://u/api/other");
        assert_eq!(uri("http://u/a/api/v1", "/api", "/api"), "http://u/a/api/v1");
    }

    #[test]
    fn paths_can_be_joined_as_in_oathkeeper() {
        let uri = |settings: &rule::Upstream, path: &str| uri_as(UpstreamPaths::Oathkeeper, settings, path);
        assert_eq!(uri(&settings("http://u/base/", ""), "/a/"), "http://u/base/a");
        assert_eq!(uri(&settings("http://u/base/", ""), "/"), "http://u/base");
        assert_eq!(uri(&settings("http://u/api", "/api"), "/api/x"), "http://u/api/x");
        assert_eq!(uri(&settings("http://u/api", "/api"), "/other"), "http://u/other");
        assert_eq!(uri(&settings("http://u", "/api"), "/x/apiary"), "http://u/xary");
        let kept = rule::Upstream { preserve_trailing_slash: Some(true), ..settings("http://u", "") };
        assert_eq!(uri(&kept, "/a/"), "http://u/a/");
        // The result would not be a path.
        let upstream = Upstream::compile(&settings("http://u", "/api"), UpstreamPaths::Oathkeeper).unwrap().unwrap();
        let path = RequestPath::parse("/apiary").unwrap();
        let target = Target::new(http::Method::GET, Scheme::Http, &Host::parse("h").unwrap(), &path, None);
        assert_eq!(upstream.uri(&target, None), None);
    }

    #[test]
    fn an_invalid_upstream_url_is_rejected() {
        for url in ["u:80", "ftp://u", "http://user:pw@u", "/relative"] {
            let settings = rule::Upstream { url: url.to_owned(), ..rule::Upstream::default() };
            assert!(Upstream::compile(&settings, UpstreamPaths::Exact).is_err(), "{url}");
        }
        let url = "h2c://u".to_owned();
        let settings = rule::Upstream { url, preserve_host: true, ..rule::Upstream::default() };
        assert!(Upstream::compile(&settings, UpstreamPaths::Exact).is_err());
        assert!(Upstream::compile(&rule::Upstream::default(), UpstreamPaths::Exact).unwrap().is_none());
    }
}
