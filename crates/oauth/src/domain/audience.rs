//! Audiences of access tokens: the resource servers for which a client may request tokens.
//!
//! A registered audience covers itself and, as a URL, every path below its own on the same scheme and host.

use std::collections::HashSet;

use url::Url;

/// The first of the `requested` audiences that none of the `registered` ones covers.
pub fn first_uncovered<'a>(registered: &[String], requested: &'a [String]) -> Option<&'a str> {
    let literals: HashSet<&str> = registered.iter().map(String::as_str).collect();
    // Parse each one once, not once per pair.
    let prefixes: Vec<Url> = registered.iter().filter_map(|it| plain_url(it)).filter(Url::has_host).collect();
    let is_covered = |audience: &str| {
        literals.contains(audience)
            || plain_url(audience).is_some_and(|url| prefixes.iter().any(|prefix| is_at_or_below(prefix, &url)))
    };
    requested.iter().map(String::as_str).find(|audience| !is_covered(audience))
}

/// A URL of scheme, host, port and path only: other audiences are compared as strings.
fn plain_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_plain =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    is_plain.then_some(url)
}

fn is_at_or_below(registered: &Url, requested: &Url) -> bool {
    registered.scheme() == requested.scheme()
        && registered.host() == requested.host()
        && registered.port() == requested.port()
        && is_below(registered.path(), requested.path())
}

fn is_below(registered: &str, requested: &str) -> bool {
    let registered = registered.strip_suffix('/').unwrap_or(registered);
    requested.strip_prefix(registered).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(registered: &str, requested: &str) -> bool {
        first_uncovered(&[registered.to_owned()], &[requested.to_owned()]).is_none()
    }

    #[test]
    fn an_audience_covers_itself_and_the_paths_below() {
        assert!(covers("https://api.example/v1", "https://api.example/v1"));
        assert!(covers("https://api.example/v1/", "https://api.example/v1"));
        assert!(covers("https://api.example/v1", "https://api.example/v1/users"));
        assert!(covers("https://api.example", "https://api.example/anything"));
        assert!(covers("my-api", "my-api"));
        for (registered, requested) in [
            ("https://api.example/v1", "https://api.example/v12"),
            ("https://api.example/v1", "https://api.example/v1/../admin"),
            ("https://api.example/v1", "http://api.example/v1"),
            ("https://api.example/v1", "https://api.example:8443/v1"),
            ("https://api.example/v1", "https://api.example.evil.example/v1"),
            ("https://api.example/v1", "https://user@api.example/v1/x"),
            ("my-api", "my-api/users"),
        ] {
            assert!(!covers(registered, requested), "{registered} {requested}");
        }
    }
}
