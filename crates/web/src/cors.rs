//! Cross-origin requests (`serve.*.cors`), with the keys and defaults of the configuration files that we read.

use std::time::Duration;

use http::request::Parts;
use http::{HeaderName, HeaderValue, Method};
use serde::Deserialize;
use tower_http::cors::{AllowOrigin, CorsLayer};

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct CorsConfig {
    pub enabled: bool,
    pub allowed_origins: Vec<String>,
    pub allowed_methods: Vec<String>,
    pub allowed_headers: Vec<String>,
    pub exposed_headers: Vec<String>,
    pub allow_credentials: bool,
    /// Seconds.
    pub max_age: u64,
}

impl Default for CorsConfig {
    fn default() -> Self {
        let list = |items: &[&str]| items.iter().map(|it| (*it).to_owned()).collect();
        Self {
            enabled: false,
            allowed_origins: Vec::new(),
            allowed_methods: list(&["POST", "GET", "PUT", "PATCH", "DELETE"]),
            allowed_headers: list(&[
                "Authorization",
                "Content-Type",
                "Max-Age",
                "X-Session-Token",
                "X-XSRF-TOKEN",
                "X-CSRF-TOKEN",
            ]),
            exposed_headers: list(&["Content-Type"]),
            allow_credentials: true,
            max_age: 0,
        }
    }
}

impl CorsConfig {
    /// The layer that answers preflights and marks answers; `None` when cross-origin requests are off.
    ///
    /// An entry is an exact origin or holds one `*`, which stands for one or more labels of a host or for digits of a port:
    /// `https://*.example.org`. The bare `*` admits every origin, but never together with credentials: a page of
    /// anybody's could then act as the person who reads it.
    ///
    /// Below `own_rules` each answer names the origins that may read it, and every origin may ask beforehand.
    pub fn layer(&self, own_rules: &'static [&'static str]) -> Option<CorsLayer> {
        if !self.enabled {
            return None;
        }
        let any = self.allowed_origins.iter().any(|it| it == "*");
        let patterns: Vec<String> =
            self.allowed_origins.iter().filter(|it| *it != "*").map(|it| it.to_ascii_lowercase()).collect();
        let matches = move |origin: &HeaderValue| {
            let origin = origin.to_str().unwrap_or_default().to_ascii_lowercase();
            patterns.iter().any(|pattern| matches_origin(pattern, &origin))
        };
        let methods: Vec<Method> = self.allowed_methods.iter().filter_map(|it| it.parse().ok()).collect();
        let names = |items: &[String]| items.iter().filter_map(|it| it.parse().ok()).collect::<Vec<HeaderName>>();
        let layer = CorsLayer::new()
            .allow_methods(methods)
            .allow_headers(names(&self.allowed_headers))
            .expose_headers(names(&self.exposed_headers))
            .max_age(Duration::from_secs(self.max_age));
        let asks_beforehand =
            move |head: &Parts| head.method == Method::OPTIONS && own_rules.contains(&head.uri.path());
        Some(if any {
            layer.allow_origin(AllowOrigin::any())
        } else {
            layer
                .allow_origin(AllowOrigin::predicate(move |origin, head| matches(origin) || asks_beforehand(head)))
                .allow_credentials(self.allow_credentials)
        })
    }
}

impl CorsConfig {
    /// Whether pages of this origin may read answers.
    pub fn allows(&self, origin: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        let covers = |pattern: &String| pattern == "*" || matches_origin(&pattern.to_ascii_lowercase(), &origin);
        self.enabled && self.allowed_origins.iter().any(covers)
    }
}

/// Whether an origin, in lower case, is what a pattern stands for: see [`CorsConfig::layer`].
pub fn matches_origin(pattern: &str, origin: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == origin };
    // `https://*foo.com` would admit `https://evilfoo.com`, and `https://*` everybody: the star must end at a dot or
    // stand for a port.
    let bounded = after.starts_with('.')
        && after.contains(|it: char| it.is_alphanumeric())
        && after.trim_start_matches('.').contains('.')
        || (after.is_empty() && before.ends_with(':') && before.matches(':').count() == 2);
    let middle = origin.strip_prefix(before).and_then(|it| it.strip_suffix(after));
    bounded
        && middle.is_some_and(|it| {
            !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-' || it == b'.')
        })
}

#[cfg(test)]
mod tests {
    use super::matches_origin;

    #[test]
    fn a_star_stays_inside_its_domain() {
        assert!(matches_origin("https://app.example.org", "https://app.example.org"));
        assert!(matches_origin("https://*.example.org", "https://a.b.example.org"));
        assert!(matches_origin("http://localhost:*", "http://localhost:3000"));
        for (pattern, origin) in [
            ("https://*.example.org", "https://example.org"),
            ("https://*.example.org", "https://evil.org/.example.org"),
            ("https://*.example.org", "http://a.example.org"),
            ("https://*example.org", "https://evilexample.org"),
            ("https://*", "https://evil.example"),
            ("https://*.org", "https://evil.org"),
            ("http://localhost:*", "http://localhost:3000.evil.org/"),
        ] {
            assert!(!matches_origin(pattern, origin), "{pattern} admits {origin}");
        }
    }
}
