//! Audiences of access tokens: which resource servers a client may ask tokens for.
//!
//! A registered audience covers itself and, as a URL, every path below its own on the same scheme and host.

use url::Url;

/// The first of the `requested` audiences that none of the `registered` ones covers.
pub fn first_uncovered<'a>(registered: &[String], requested: &'a [String]) -> Option<&'a str> {
    let uncovered = |audience: &&String| !registered.iter().any(|it| covers(it, audience));
    requested.iter().find(uncovered).map(String::as_str)
}

fn covers(registered: &str, requested: &str) -> bool {
    if registered == requested {
        return true;
    }
    let (Ok(registered), Ok(requested)) = (Url::parse(registered), Url::parse(requested)) else { return false };
    // Anything but scheme, host, port and path has to be equal as text, which was seen above.
    let is_plain = |url: &Url| {
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none()
    };
    registered.has_host()
        && is_plain(&registered)
        && is_plain(&requested)
        && registered.scheme() == requested.scheme()
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
