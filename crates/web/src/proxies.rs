//! Proxies in front of the server, and the forwarded headers that are trusted from them.

use std::convert::Infallible;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::header::HOST;
use http::request::Parts;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A range of addresses in CIDR notation; a single address is a range of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

/// The text is neither an address nor a range such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address or a network such as 10.0.0.0/8")]
pub struct InvalidNetwork;

impl Network {
    /// An IPv4 address that is written as an IPv6 address counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map(Self).map_err(|_| InvalidNetwork)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl schemars::JsonSchema for Network {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "network".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The peers whose forwarded headers are trusted. Empty by default: no peer is trusted.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Arc<[Network]>);

impl TrustedProxies {
    pub fn new(networks: impl IntoIterator<Item = Network>) -> Self {
        Self(networks.into_iter().collect())
    }

    pub fn contains(&self, peer: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(peer))
    }

    /// The client's address: the peer's, or, behind listed proxies, the last address of `X-Forwarded-For` that is not a listed
    /// proxy.
    pub fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut address = peer.to_canonical();
        if !self.contains(address) {
            return address;
        }
        // Each hop is read by itself: what a client put in front must not hide what the proxy appended.
        let values = headers.get_all("x-forwarded-for").iter();
        let chain: Vec<&[u8]> = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).collect();
        for hop in chain.into_iter().rev() {
            let hop = std::str::from_utf8(hop).ok().and_then(|hop| parse_hop(hop.trim()));
            let Some(hop) = hop else { return address };
            address = hop;
            if !self.contains(address) {
                return address;
            }
        }
        address
    }

    /// The scheme and host that the client sees: those of the connection, or those that a listed proxy forwards.
    pub fn origin(&self, peer: Option<IpAddr>, is_tls: bool, headers: &HeaderMap) -> RequestOrigin {
        let believed = peer.is_some_and(|peer| self.contains(peer.to_canonical()));
        let forwarded = |name: &str| {
            let value = headers.get(name).filter(|_| believed)?.to_str().ok()?;
            value.split(',').next().map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned)
        };
        let scheme = forwarded("x-forwarded-proto").filter(|it| it == "http" || it == "https");
        let host = forwarded("x-forwarded-host")
            .or_else(|| headers.get(HOST).and_then(|it| it.to_str().ok()).map(str::to_owned));
        RequestOrigin {
            scheme: scheme.unwrap_or_else(|| if is_tls { "https" } else { "http" }.to_owned()),
            host: host.unwrap_or_default(),
        }
    }
}

/// `203.0.113.7`, `203.0.113.7:1234`, `[2001:db8::1]:1234` or `2001:db8::1`.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let address = text.parse().ok().or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|it| it.ip()));
    address.or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()).map(|it: IpAddr| it.to_canonical())
}

/// The scheme and host that the client sees, for display and for matching. URLs in answers come from the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestOrigin {
    pub scheme: String,
    /// With the port, as in the `Host` header; empty when there was none.
    pub host: String,
}

impl<S: Sync> FromRequestParts<S> for RequestOrigin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let known = parts.extensions.get::<Self>().cloned();
        Ok(known.unwrap_or_else(|| TrustedProxies::default().origin(None, false, &parts.headers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn networks_contain_only_their_addresses() {
        let network: Network = "10.0.0.0/8".parse().unwrap();
        assert!(network.contains("10.255.0.1".parse().unwrap()));
        assert!(network.contains("::ffff:10.0.0.1".parse().unwrap()));
        assert!(!network.contains("11.0.0.1".parse().unwrap()));
        assert!("0.0.0.0/0".parse::<Network>().unwrap().contains("1.2.3.4".parse().unwrap()));
        assert!(!"0.0.0.0/0".parse::<Network>().unwrap().contains("::1".parse().unwrap()));
        assert!("::1".parse::<Network>().unwrap().contains("::1".parse().unwrap()));
        for wrong in ["10.0.0.0/33", "x", "10.0.0.0/", "::/129", ""] {
            assert_eq!(wrong.parse::<Network>(), Err(InvalidNetwork), "{wrong}");
        }
    }

    #[test]
    fn a_forwarded_address_is_trusted_only_from_listed_proxies() {
        let proxies = TrustedProxies::new(["10.0.0.0/8".parse().unwrap()]);
        let forged = headers(&[("x-forwarded-for", "1.1.1.1, 203.0.113.7, 10.0.0.2")]);
        assert_eq!(proxies.client_address("10.0.0.1".parse().unwrap(), &forged).to_string(), "203.0.113.7");
        assert_eq!(proxies.client_address("192.0.2.1".parse().unwrap(), &forged).to_string(), "192.0.2.1");
        let broken = headers(&[("x-forwarded-for", "1.1.1.1, rubbish, 10.0.0.2")]);
        assert_eq!(proxies.client_address("10.0.0.1".parse().unwrap(), &broken).to_string(), "10.0.0.2");
        let mut hidden = HeaderMap::new();
        hidden.insert("x-forwarded-for", HeaderValue::from_bytes(b"\xff, 203.0.113.7").unwrap());
        assert_eq!(proxies.client_address("10.0.0.1".parse().unwrap(), &hidden).to_string(), "203.0.113.7");
    }

    #[test]
    fn scheme_and_host_are_trusted_only_from_listed_proxies() {
        let proxies = TrustedProxies::new(["10.0.0.0/8".parse().unwrap()]);
        let forwarded =
            headers(&[("x-forwarded-proto", "https"), ("x-forwarded-host", "evil.example"), ("host", "api.example")]);
        let trusted = proxies.origin(Some("10.0.0.1".parse().unwrap()), false, &forwarded);
        assert_eq!((trusted.scheme.as_str(), trusted.host.as_str()), ("https", "evil.example"));
        let ignored = proxies.origin(Some("192.0.2.1".parse().unwrap()), false, &forwarded);
        assert_eq!((ignored.scheme.as_str(), ignored.host.as_str()), ("http", "api.example"));
    }
}
