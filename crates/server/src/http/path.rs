//! Paths as clients of the replaced services write them: with a slash too many at either end, and on the admin listeners
//! with or without `/admin`.

use http::Uri;
use http::uri::PathAndQuery;

/// What happens to a path before it is routed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rewrite {
    /// The path is somebody else's business: the gateway matches and forwards what came.
    Untouched,
    /// A trailing slash is dropped.
    Trimmed,
    /// A trailing slash is dropped, and `/admin` put before a path that lacks it.
    UnderAdmin,
}

/// Paths that the admin listeners have at their root.
const AT_ROOT: [&str; 4] = ["/health/", "/metrics/", "/version", "/console"];

impl Rewrite {
    pub(crate) fn apply(self, uri: &mut Uri) {
        let path = uri.path();
        if path.starts_with("//") {
            // See [`without_doubled_start`].
            return;
        }
        // One slash too many, not two: `//` is another path than `/`.
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
        // A path that was valid stays so without its last slash or with a prefix; if not, the request goes on as it came.
        let Ok(path_and_query) = PathAndQuery::try_from(text) else { return };
        parts.path_and_query = Some(path_and_query);
        if let Ok(rewritten) = Uri::from_parts(parts) {
            *uri = rewritten;
        }
    }
}

/// Where a client is sent whose base address ends in a slash and whose path begins with one. It comes back with the one
/// spelling of the path that is served, so that whatever stands before us sees that one, too.
pub(crate) fn without_doubled_start(uri: &Uri) -> Option<String> {
    let rest = uri.path().strip_prefix("//")?.trim_start_matches('/');
    // Browsers would read `/\host` as the address of another host.
    rest.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '.').then(|| match uri.query() {
        Some(query) => format!("/{rest}?{query}"),
        None => format!("/{rest}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubled_start_leads_to_the_path_here_and_nowhere_else() {
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
    fn admin_paths_may_lack_their_prefix_and_have_a_slash_too_many() {
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
    fn public_paths_lose_a_slash_and_proxied_ones_nothing() {
        assert_eq!(rewritten(Rewrite::Trimmed, "/sessions/whoami/"), "/sessions/whoami");
        assert_eq!(rewritten(Rewrite::Trimmed, "/identities?a=/"), "/identities?a=/");
        assert_eq!(rewritten(Rewrite::Trimmed, "//"), "//");
        assert_eq!(rewritten(Rewrite::UnderAdmin, "//identities/"), "//identities/");
        assert_eq!(rewritten(Rewrite::Trimmed, "/sessions//"), "/sessions//");
        assert_eq!(rewritten(Rewrite::Untouched, "/a/"), "/a/");
    }
}
