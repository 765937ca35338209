//! The address of a listener, and the reason for it.
//!
//! Invariants:
//! - A listener binds another address than loopback only because of its own `host`, a base URL of another host, the file of a
//!   replaced program, or a flag; other configuration has no influence.
//! - An admin listener does so only if it also requires authentication or is deliberately open.

use std::net::{IpAddr, SocketAddr};

use serde_json::Value;
use url::{Host, Url};

use super::environment::Environment;
use crate::config::{Config, Listener, Notice, Service};
use crate::http::socket::{ANYWHERE, Address, DefaultPlace, LOOPBACK};

/// The default address of a listener and the reason for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placement {
    pub(super) default: DefaultPlace,
    pub(crate) reason: String,
}

/// The placement of the listener of `kind` with `settings`.
pub(super) fn of(
    config: &Config,
    environment: &Environment,
    service: Service,
    kind: &service::Listener,
    settings: &Listener,
    is_guarded: bool,
) -> Placement {
    let port = if environment.free_ports { 0 } else { kind.port };
    let at = |host, reason: &str| Placement { default: DefaultPlace { host, port }, reason: reason.to_owned() };
    if settings.host.as_deref().is_some_and(|host| !host.is_empty()) {
        return at(LOOPBACK, "set by its host");
    }
    if environment.free_ports {
        return at(LOOPBACK, "free ports are taken on loopback");
    }
    let other = names_another_host(config, service, kind);
    if kind.is_admin() {
        return match other {
            _ if !is_guarded => at(LOOPBACK, "an admin listener binds loopback unless its host is set"),
            Some(key) => at(ANYWHERE, &format!("{key} names another host")),
            None if config.is_classic(service) => at(ANYWHERE, "the file is one of the replaced program"),
            None => at(LOOPBACK, "an admin listener binds loopback unless its host is set"),
        };
    }
    match (environment.listen, other) {
        (Some(host), _) => at(host, "set by --listen"),
        (None, _) if config.is_classic(service) => {
            at(ANYWHERE, "the configuration is one of the replaced program, which listens on every address")
        }
        (None, Some(key)) => at(ANYWHERE, &format!("{key} names another host")),
        (None, None) => at(LOOPBACK, "no host and no URL of another host is configured"),
    }
}

/// The key of the URL with another host under which clients reach the listener, if there is one.
fn names_another_host(config: &Config, service: Service, kind: &service::Listener) -> Option<String> {
    let base_url = format!("serve.{}.base_url", kind.name);
    let keys = std::iter::once(base_url.as_str()).chain(kind.url_keys.iter().rev().copied());
    let is_of_another = |key: &&str| {
        let url = config.value(service, key).and_then(Value::as_str).and_then(|text| Url::parse(text).ok());
        url.is_some_and(|url| !is_this_machine(&url))
    };
    keys.into_iter().find(is_of_another).map(|key| format!("{service}.{key}"))
}

pub(crate) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        None => true,
    }
}

/// The notice about an admin listener whose base URL names another host, but that only this machine can reach.
pub(super) fn unreachable_admin(
    config: &Config,
    service: Service,
    kind: &service::Listener,
    settings: &Listener,
    is_guarded: bool,
) -> Option<Notice> {
    let has_host = settings.host.as_deref().is_some_and(|host| !host.is_empty());
    let key = names_another_host(config, service, kind).filter(|_| kind.is_admin() && !has_host && !is_guarded)?;
    let message = "names another host, and the admin listener is reachable from this machine only. To open it, set a token \
                   (admin.tokens in this file, or KLEIS_ADMIN_TOKENS), or declare that strangers cannot reach it \
                   (admin.unprotected: true in this file, or KLEIS_ADMIN_UNPROTECTED=true)";
    Some(Notice::warning(key, message))
}

/// The address that a listener would bind.
pub(super) fn predicted(settings: &Listener, placement: &Placement) -> Address {
    let host = settings.host.as_deref().unwrap_or_default();
    if let Some(path) = host.strip_prefix("unix:") {
        return Address::Unix(path.into());
    }
    let port = settings.port.unwrap_or(placement.default.port);
    let ip = match host {
        "" => placement.default.host,
        "localhost" => LOOPBACK,
        // A name that is not an address may resolve to any address.
        host => host.trim_matches(['[', ']']).parse::<IpAddr>().unwrap_or(ANYWHERE),
    };
    Address::Tcp(SocketAddr::new(ip, port))
}
