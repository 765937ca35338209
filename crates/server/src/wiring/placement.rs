//! Where a listener stands, and why.
//!
//! What always holds:
//! - A listener leaves loopback only when its own `host`, a base URL of another host, the file of a replaced program, or a
//!   flag says so; that the configuration says something else is no reason.
//! - An admin listener leaves it besides only when it is guarded, or open on purpose.

use std::net::{IpAddr, SocketAddr};

use serde_json::Value;
use url::{Host, Url};

use super::environment::Environment;
use crate::config::{Config, Listener, Notice, Service};
use crate::http::socket::{ANYWHERE, Address, DefaultPlace, LOOPBACK};

/// The place of a listener and the reason for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placement {
    pub(super) default: DefaultPlace,
    pub(crate) reason: String,
}

/// Where the listener of `kind` stands when `settings` are its own.
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
        return at(LOOPBACK, "its host says so");
    }
    if environment.free_ports {
        return at(LOOPBACK, "free ports are taken on loopback");
    }
    let other = names_another_host(config, service, kind);
    if kind.is_admin() {
        return match other {
            _ if !is_guarded => at(LOOPBACK, "an admin listener stays on loopback unless its host says otherwise"),
            Some(key) => at(ANYWHERE, &format!("{key} names another host, and the listener is guarded")),
            None if config.is_classic(service) => {
                at(ANYWHERE, "the file is one of the replaced program, and the listener is guarded")
            }
            None => at(LOOPBACK, "an admin listener stays on loopback unless its host says otherwise"),
        };
    }
    match (environment.listen, other) {
        (Some(host), _) => at(host, "--listen says so"),
        (None, _) if config.is_classic(service) => {
            at(ANYWHERE, "the configuration is one of the replaced program, which listens on every address")
        }
        (None, Some(key)) => at(ANYWHERE, &format!("{key} names another host")),
        (None, None) => at(LOOPBACK, "no host and no URL of another host is configured"),
    }
}

/// The key by which the outside reaches the listener under the name of another host, if there is one.
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

/// What to say of an admin listener that others cannot reach although a base URL tells them where it is.
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
                   (admin.tokens in this file, or KLEIS_ADMIN_TOKENS), or say that something before it keeps strangers out \
                   (admin.unprotected: true in this file, or KLEIS_ADMIN_UNPROTECTED=true)";
    Some(Notice::warning(key, message))
}

/// The address that a listener would have, without taking it.
pub(super) fn predicted(settings: &Listener, placement: &Placement) -> Address {
    let host = settings.host.as_deref().unwrap_or_default();
    if let Some(path) = host.strip_prefix("unix:") {
        return Address::Unix(path.into());
    }
    let port = settings.port.unwrap_or(placement.default.port);
    let ip = match host {
        "" => placement.default.host,
        "localhost" => LOOPBACK,
        // A name that is not an address may mean any of them.
        host => host.trim_matches(['[', ']']).parse::<IpAddr>().unwrap_or(ANYWHERE),
    };
    Address::Tcp(SocketAddr::new(ip, port))
}
