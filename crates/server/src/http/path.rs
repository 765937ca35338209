//! Rewrites the paths of clients of the replaced services: with an extra slash at either end, and on the admin listeners with
//! or without `/admin`.

use http::Uri;
use http::uri::PathAndQuery;

/// How a path is rewritten before routing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rewrite {
    /// No change: the gateway matches and forwards the path as it was sent.
    Untouched,
    /// A trailing slash is removed.
    Trimmed,
    /// A trailing slash is removed, and `/admin` is added to a path without it.
    UnderAdmin,
}

/// Paths at the root of the admin listeners.
const AT_ROOT: [&str; 4] = ["/health/", "/metrics/", "/version", "/console"];

impl Rewrite {
    pub(crate) fn apply(self, uri: &mut Uri) {
        let path = uri.path();
        if path.starts_with("//") {
            // See [`without_doubled_start`].
            return;
        }
        // One extra slash, not two: `//` is another path than `/`.
        let trimmed = path.strip_suffix('/').filter(|rest| !rest.is_empty() && !rest.ends_with('/')).unwrap_or(path);
        let prefix = match self {
            Self::Untouched => return,
            Self::Trimmed => "",
            Self::UnderAdmin if trimmed == "/admin" || trimmed.starts_with("/admin/") || trimmed == "/" => "",
            Self::UnderAdmin if AT_ROOT.iter().any(|at_root| trimmed.starts_with(at_root)) => "",
            Self::UnderAdmin => "/admin",
        };
        if prefix.is_empty() && trimmed.len() == path.len() {
            return;
        }
        let text = match uri.query() {
            Some(query) => format!("{prefix}{trimmed}?{query}"),
            None => format!("{prefix}{trimmed}"),
        };
        let mut parts = uri.clone().into_parts();
        // A valid path stays valid without its last slash or with a prefix; if not, the request is not rewritten.
        let Ok(path_and_query) = PathAndQuery::try_from(text) else { return };
        parts.path_and_query = Some(path_and_query);
        if let Ok(rewritten) = Uri::from_parts(parts) {
            *uri = rewritten;
        }
    }
}

/// The redirect target for a path that begins with two slashes, because the client's base URL ends with one. The client comes
/// back with the path that is served, so that a proxy in front sees the same path.
pub(crate) fn without_doubled_start(uri: &Uri) -> Option<String> {
    let rest = uri.path().strip_prefix("//")?.trim_start_matches('/');
    // Browsers would parse `/\host` as the URL of another host.
    rest.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '.').then(|| match uri.query() {
        Some(query) => format!("/{rest}?{query}"),
        None => format!("/{rest}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubled_slash_redirects_to_the_same_path_on_this_host() {
        let leads = |text: &str| without_doubled_start(&text.parse().unwrap());
        assert_eq!(leads("//self-service/login/flows?id=1").as_deref(), Some("/self-service/login/flows?id=1"));
        assert_eq!(leads("///.well-known/jwks.json").as_deref(), Some("/.well-known/jwks.json"));
        for other in ["/sessions", "/", "//", "/a//b", "//\\evil.example/", "//%5cevil.example", "//@evil.example/"] {
            assert_eq!(leads(other), None, "{other}");
        }
    }

    fn rewritten(rewrite: Rewrite, text: &str) -> String {
        let mut uri: Uri = text.parse().unwrap();
        rewrite.apply(&mut uri);
        uri.to_string()
    }

    #[test]
    fn admin_paths_may_omit_their_prefix_and_have_an_extra_slash() {
        for (came, goes) in [
            ("/identities", "/admin/identities"),
            ("/identities/?page_size=1", "/admin/identities?page_size=1"),
            ("/admin/identities/", "/admin/identities"),
            ("/health/ready", "/health/ready"),
            ("/admin/health/ready", "/admin/health/ready"),
            ("/version", "/version"),
            ("/administrators", "/admin/administrators"),
            ("/", "/"),
        ] {
            assert_eq!(rewritten(Rewrite::UnderAdmin, came), goes);
        }
    }

    #[test]
    fn public_paths_lose_a_slash_and_proxied_paths_are_unchanged() {
        assert_eq!(rewritten(Rewrite::Trimmed, "/sessions/whoami/"), "/sessions/whoami");
        assert_eq!(rewritten(Rewrite::Trimmed, "/identities?a=/"), "/identities?a=/");
        assert_eq!(rewritten(Rewrite::Trimmed, "//"), "//");
        assert_eq!(rewritten(Rewrite::UnderAdmin, "//identities/"), "//identities/");
        assert_eq!(rewritten(Rewrite::Trimmed, "/sessions//"), "/sessions//");
        assert_eq!(rewritten(Rewrite::Untouched, "/a/"), "/a/");
    }
}
