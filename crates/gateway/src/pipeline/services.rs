//! What handlers need beside the request: the other services, the outbound client, keys and caches that outlive a rule.

use base::Rng;
use contracts::{Link, Sessions, TokenIntrospection};
use jose::{Jwk, JwkSet, KeyUse};
use url::{Host, Url};
use web::jwks::{Documents, RemoteKeySets};

use crate::components::signing_keys::SigningKeys;
use crate::components::verified_tokens::VerifiedTokens;

/// The session check of the identity service in this process, as a `check_session_url`.
const IN_PROCESS_SESSIONS: &str = "kleis://identity/sessions/whoami";
/// The introspection of the OAuth2 service in this process, as an `introspection_url`.
const IN_PROCESS_INTROSPECTION: &str = "kleis://oauth/introspect";

/// Under which URLs the services of this process are known, so that a configuration that names them over HTTP is served
/// by a function call: what they are called outside, and where they listen. An address of this machine goes by each of its
/// names.
#[derive(Clone, Debug, Default)]
pub struct LocalServices {
    pub identity: Vec<Url>,
    pub oauth: Vec<Url>,
}

/// Shared by all rules.
pub(crate) struct Services {
    pub(crate) rng: Rng,
    pub(crate) http: web::outbound::Client,
    pub(crate) sessions: Link<dyn Sessions>,
    pub(crate) introspection: Link<dyn TokenIntrospection>,
    pub(crate) local: LocalServices,
    pub(crate) signing_keys: SigningKeys,
    pub(crate) verification_keys: RemoteKeySets,
    pub(super) verified_tokens: VerifiedTokens,
}

impl Services {
    pub(crate) fn new(
        rng: Rng,
        http: web::outbound::Client,
        sessions: Link<dyn Sessions>,
        introspection: Link<dyn TokenIntrospection>,
        local: LocalServices,
        generated_keys: JwkSet,
    ) -> Self {
        let documents = Documents::remote_and_local(http.clone());
        // A key without a name or with another use verifies no access token.
        let is_usable = |key: &Jwk| key.kid.is_some() && key.key_use == Some(KeyUse::Signature);
        Self {
            signing_keys: SigningKeys::new(documents.clone(), generated_keys),
            verification_keys: RemoteKeySets::new(documents, is_usable, web::jwks::Bounds::default()),
            verified_tokens: VerifiedTokens::new(),
            rng,
            http,
            sessions,
            introspection,
            local,
        }
    }

    /// Whether this URL is the session check of the identity service beside us.
    pub(super) fn is_local_session_check(&self, url: &Url) -> bool {
        url.as_str() == IN_PROCESS_SESSIONS
            || (self.sessions.get().is_some() && is_below(url, &self.local.identity, &["/sessions/whoami"]))
    }

    /// Whether this URL is the introspection endpoint of the OAuth2 service beside us.
    pub(super) fn is_local_introspection(&self, url: &Url) -> bool {
        url.as_str() == IN_PROCESS_INTROSPECTION
            || (self.introspection.get().is_some()
                && is_below(url, &self.local.oauth, &["/oauth2/introspect", "/admin/oauth2/introspect"]))
    }
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

fn is_below(url: &Url, bases: &[Url], paths: &[&str]) -> bool {
    bases.iter().any(|base| {
        is_same_place(url, base)
            && paths.iter().any(|path| url.path() == format!("{}{path}", base.path().trim_end_matches('/')))
    })
}

/// Whether two URLs lead to the same listener.
fn is_same_place(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
        || (one.scheme() == other.scheme()
            && one.port_or_known_default() == other.port_or_known_default()
            && names_this_machine(one)
            && names_this_machine(other))
}

/// Whether the host is a loopback address, or the one that listeners on every address have.
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
    fn a_service_of_this_process_is_known_by_each_of_its_addresses_and_no_other() {
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
