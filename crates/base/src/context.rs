//! The context of a request, created once at the edge and passed down: one request has one time, one tenant, one actor.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::Ipv6Net;
use uuid::Uuid;

use crate::{TenantId, Timestamp};

/// The context of a request or a background task.
#[derive(Clone, Debug)]
pub struct Context {
    pub now: Timestamp,
    pub tenant: TenantId,
    pub actor: Actor,
    pub request_id: RequestId,
    pub locale: Locale,
    /// Whether the person chose the locale here; otherwise it is the preference of the browser.
    pub locale_is_chosen: bool,
    /// The trusted address of the client: the peer's, or the one that a listed proxy forwards.
    pub client_address: Option<IpAddr>,
}

impl Context {
    /// The context of work that no request caused.
    pub fn for_background(now: Timestamp, tenant: TenantId, request_id: RequestId) -> Self {
        Self {
            now,
            tenant,
            actor: Actor::System,
            request_id,
            locale: Locale::default(),
            locale_is_chosen: false,
            client_address: None,
        }
    }

    /// The network that attempts are counted for: the address, or the `/64` of an IPv6 address, because one subscriber has the
    /// whole `/64`.
    pub fn client_network(&self) -> String {
        match self.client_network_address() {
            Some(IpAddr::V6(address)) => Ipv6Net::new_assert(address, 64).to_string(),
            Some(IpAddr::V4(address)) => address.to_string(),
            None => "unknown".to_owned(),
        }
    }

    /// The first address of [`Self::client_network`].
    pub fn client_network_address(&self) -> Option<IpAddr> {
        Some(match self.client_address?.to_canonical() {
            IpAddr::V6(address) => Ipv6Net::new_assert(address, 64).network().into(),
            address @ IpAddr::V4(_) => address,
        })
    }
}

/// The party that sent the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// An unauthenticated client.
    Anonymous,
    /// A signed-in person, by identity.
    Identity(Uuid),
    /// An OAuth2 client, by client id.
    Client(Arc<str>),
    /// The operator, through the admin API.
    Admin,
    /// Kleis itself: background work.
    System,
}

/// Identifies a request in logs, errors and events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(pub Uuid);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The language of the reader, as a BCP 47 primary subtag in lower case, for instance `en` or `de`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Locale([u8; 2]);

impl Locale {
    pub const ENGLISH: Self = Self(*b"en");

    /// The first two letters of a language tag; `None` when there are no such letters.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let bytes = tag.as_bytes();
        let (first, second) = (bytes.first()?, bytes.get(1)?);
        let ends_here = bytes.get(2).is_none_or(|byte| !byte.is_ascii_alphanumeric());
        (first.is_ascii_alphabetic() && second.is_ascii_alphabetic() && ends_here)
            .then(|| Self([first.to_ascii_lowercase(), second.to_ascii_lowercase()]))
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("en")
    }
}

impl Default for Locale {
    fn default() -> Self {
        Self::ENGLISH
    }
}
