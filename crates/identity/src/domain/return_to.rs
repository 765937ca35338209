//! The URLs that a browser may be redirected to when a flow ends.
//!
//! Only URLs that the configuration lists are allowed, compared by scheme, host and whole path segments. A target with user
//! information or a backslash is rejected, because browsers and servers parse such URLs differently.

use url::{Host, Url};

/// The target is not on the list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("return_to address is not allowed: {target}")]
pub struct ForbiddenReturnTo {
    pub target: String,
}

/// The URLs that a flow may end at.
#[derive(Clone, Debug)]
pub struct ReturnUrls {
    allowed: Vec<Url>,
    default: Url,
}

impl ReturnUrls {
    /// `allowed` as configured; a flow may always redirect to another one under `<public>/self-service`. Entries whose
    /// wildcard would match a whole top-level domain are dropped.
    pub fn new(allowed: impl IntoIterator<Item = Url>, default: Url, public: &Url) -> Self {
        let mut allowed: Vec<Url> = allowed.into_iter().filter(is_bounded).collect();
        if let Ok(own) = public.join("self-service") {
            allowed.push(own);
        }
        Self { allowed, default }
    }

    pub fn default_url(&self) -> &Url {
        &self.default
    }

    /// The URL of `candidate`, or `fallback` when there is no candidate.
    pub fn resolve(&self, candidate: Option<&str>, fallback: &Url) -> Result<Url, ForbiddenReturnTo> {
        match candidate.filter(|candidate| !candidate.is_empty()) {
            None => Ok(fallback.clone()),
            Some(candidate) => self.check(candidate),
        }
    }

    /// Accepts `candidate` when it is on the list. A relative URL is resolved against the default.
    pub fn check(&self, candidate: &str) -> Result<Url, ForbiddenReturnTo> {
        let forbidden = || ForbiddenReturnTo { target: candidate.to_owned() };
        // The URL standard reads backslashes as slashes and drops tabs and line ends; other parsers do not.
        if candidate.contains(['\\', '\t', '\n', '\r']) || candidate.starts_with(' ') || candidate.ends_with(' ') {
            return Err(forbidden());
        }
        let target = self.default.join(candidate).map_err(|_| forbidden())?;
        let has_user_information = !target.username().is_empty() || target.password().is_some();
        if has_user_information || target.cannot_be_a_base() {
            return Err(forbidden());
        }
        if self.allowed.iter().any(|entry| covers(entry, &target)) { Ok(target) } else { Err(forbidden()) }
    }
}

fn covers(entry: &Url, target: &Url) -> bool {
    entry.scheme() == target.scheme()
        && entry.port_or_known_default() == target.port_or_known_default()
        && covers_host(entry, target)
        && covers_path(entry.path(), target.path())
}

fn covers_host(entry: &Url, target: &Url) -> bool {
    let (Some(pattern), Some(host)) = (entry.host_str(), target.host_str()) else {
        return entry.host_str() == target.host_str();
    };
    match pattern.strip_prefix('*') {
        // `*.example.org` matches any depth below `example.org`, never an IP address literal.
        Some(suffix) => {
            matches!(target.host(), Some(Host::Domain(_))) && host.len() > suffix.len() && host.ends_with(suffix)
        }
        None => pattern == host,
    }
}

/// Whole segments: `/app` matches `/app` and `/app/x`, not `/apples`.
fn covers_path(entry: &str, target: &str) -> bool {
    let entry = entry.strip_suffix('/').unwrap_or(entry);
    target.strip_prefix(entry).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether an entry has no wildcard, or one that leaves at least two labels fixed (`*.example.org`).
fn is_bounded(entry: &Url) -> bool {
    let Some(host) = entry.host_str() else { return true };
    if !host.contains('*') {
        return true;
    }
    host.strip_prefix("*.")
        .is_some_and(|rest| !rest.contains('*') && rest.split('.').filter(|label| !label.is_empty()).count() >= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(allowed: &[&str]) -> ReturnUrls {
        let parse = |text: &&str| Url::parse(text).unwrap();
        ReturnUrls::new(
            allowed.iter().map(parse),
            Url::parse("https://www.example.org/home").unwrap(),
            &Url::parse("https://id.example.org/").unwrap(),
        )
    }

    fn allows(allowed: &[&str], candidate: &str) -> bool {
        urls(allowed).check(candidate).is_ok()
    }

    #[test]
    fn scheme_host_port_and_path_must_agree() {
        let list = ["https://www.example.org/app"];
        assert!(allows(&list, "https://www.example.org/app"));
        assert!(allows(&list, "https://WWW.example.org/app/x?y=1"));
        assert!(allows(&list, "/app/x"));
        assert!(allows(&list, "//www.example.org/app"));
        for wrong in [
            "http://www.example.org/app",
            "https://example.org/app",
            "https://www.example.org:444/app",
            "https://www.example.org/other",
            "javascript:alert(1)",
            "data:text/html,x",
        ] {
            assert!(!allows(&list, wrong), "{wrong}");
        }
    }

    #[test]
    fn a_path_is_compared_by_segments() {
        let list = ["https://www.example.org/app"];
        assert!(!allows(&list, "https://www.example.org/apples"));
        assert!(!allows(&list, "https://www.example.org/app/../other"));
        assert!(allows(&["https://www.example.org"], "https://www.example.org/anything"));
        assert!(allows(&["https://www.example.org/app/"], "https://www.example.org/app/x"));
    }

    #[test]
    fn user_information_and_backslashes_are_rejected() {
        let list = ["https://www.example.org/"];
        for trick in [
            "https://www.example.org@evil.example/",
            "https://user:pass@www.example.org/",
            "https:\\\\evil.example/",
            "/\\evil.example",
            "https://www.example.org/\n.evil.example",
            "//evil.example/",
        ] {
            assert!(!allows(&list, trick), "{trick}");
        }
    }

    #[test]
    fn a_wildcard_matches_subdomains_but_never_a_top_level_domain() {
        assert!(allows(&["https://*.example.org"], "https://a.b.example.org/x"));
        assert!(!allows(&["https://*.example.org"], "https://example.org/x"));
        assert!(!allows(&["https://*.example.org"], "https://evilexample.org/x"));
        assert!(!allows(&["https://*.org"], "https://evil.org/x"));
        assert!(!allows(&["https://*"], "https://evil.org/x"));
    }

    #[test]
    fn flows_may_redirect_to_flows_and_an_empty_target_is_the_default() {
        assert!(allows(&[], "https://id.example.org/self-service/login/browser"));
        let urls = urls(&[]);
        let fallback = Url::parse("https://www.example.org/after").unwrap();
        assert_eq!(urls.resolve(None, &fallback).unwrap(), fallback);
        assert_eq!(urls.resolve(Some(""), &fallback).unwrap(), fallback);
    }
}
