//! The services in the same process, which handlers call without HTTP.

use contracts::{Link, PermissionChecks, Sessions, TokenIntrospection};
use url::{Host, Url};

/// The session check of the identity service in this process, as a `check_session_url`.
const IN_PROCESS_SESSIONS: &str = "kleis://identity/sessions/whoami";
/// The introspection of the OAuth2 service in this process, as an `introspection_url`.
const IN_PROCESS_INTROSPECTION: &str = "kleis://oauth/introspect";

/// The URLs of the services in this process: their public URLs and their listeners. A configuration that names one of
/// them calls the service directly. All names of the local host match.
#[derive(Clone, Debug, Default)]
pub struct LocalServices {
    pub identity: Vec<Url>,
    pub oauth: Vec<Url>,
}

/// Shared by all rules.
#[derive(Debug)]
pub(crate) struct InProcess {
    pub(crate) sessions: Link<dyn Sessions>,
    pub(crate) introspection: Link<dyn TokenIntrospection>,
    /// Of this process or of another.
    pub(crate) permissions: Link<dyn PermissionChecks>,
    pub(crate) urls: LocalServices,
}

impl InProcess {
    /// Whether this URL is the session check of the identity service in this process.
    pub(super) fn is_session_check(&self, url: &Url) -> bool {
        url.as_str() == IN_PROCESS_SESSIONS
            || (self.sessions.get().is_some() && is_below(url, &self.urls.identity, &["/sessions/whoami"]))
    }

    /// Whether this URL is the introspection endpoint of the OAuth2 service in this process.
    pub(super) fn is_introspection(&self, url: &Url) -> bool {
        url.as_str() == IN_PROCESS_INTROSPECTION
            || (self.introspection.get().is_some()
                && is_below(url, &self.urls.oauth, &["/oauth2/introspect", "/admin/oauth2/introspect"]))
    }
}

fn is_below(url: &Url, bases: &[Url], paths: &[&str]) -> bool {
    bases.iter().any(|base| {
        is_same_listener(url, base)
            && paths.iter().any(|path| url.path() == format!("{}{path}", base.path().trim_end_matches('/')))
    })
}

/// Whether two URLs have the same listener.
fn is_same_listener(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
        || (one.scheme() == other.scheme()
            && one.port_or_known_default() == other.port_or_known_default()
            && names_this_machine(one)
            && names_this_machine(other))
}

/// Whether the host is a loopback or unspecified address.
fn names_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_in_process_service_is_recognized_by_its_own_addresses_only() {
        let bases: Vec<Url> = ["https://auth.example/id/", "http://0.0.0.0:4433", "http://10.0.0.5:4433/"]
            .into_iter()
            .map(|url| url.parse().unwrap())
            .collect();
        let is_known = |url: &str| is_below(&url.parse().unwrap(), &bases, &["/sessions/whoami"]);
        for url in [
            "https://auth.example/id/sessions/whoami",
            "https://AUTH.example:443/id/sessions/whoami?a=b",
            "http://127.0.0.1:4433/sessions/whoami",
            "http://localhost:4433/sessions/whoami",
            "http://[::1]:4433/sessions/whoami",
            "http://10.0.0.5:4433/sessions/whoami",
        ] {
            assert!(is_known(url), "{url}");
        }
        for url in [
            "https://auth.example/sessions/whoami",
            "http://auth.example/id/sessions/whoami",
            "https://auth.example.org/id/sessions/whoami",
            "http://127.0.0.1/sessions/whoami",
            "http://127.0.0.1:4434/sessions/whoami",
            "https://127.0.0.1:4433/sessions/whoami",
            "http://localhost.example:4433/sessions/whoami",
            "http://10.0.0.6:4433/sessions/whoami",
            "http://127.0.0.1:4433/sessions/whoami/x",
            "http://127.0.0.1:4433/",
        ] {
            assert!(!is_known(url), "{url}");
        }
    }
}
