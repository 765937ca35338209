//! The allowed destinations of outbound calls, as a protection against server-side request forgery by URLs of other people.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;
use ipnet::{Ipv4Net, Ipv6Net};

/// The allowed destinations of outbound calls.
#[derive(Clone, Debug)]
pub enum Destinations {
    Any,
    /// Public addresses, and the named hosts wherever they are.
    PublicOnly {
        except: Arc<[String]>,
    },
}

impl Destinations {
    pub fn public_only(except: impl IntoIterator<Item = String>) -> Self {
        Self::PublicOnly { except: except.into_iter().map(|it| it.to_ascii_lowercase()).collect() }
    }

    pub(super) fn allow(&self, host: &str, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::PublicOnly { except } => is_public(address) || except.iter().any(|it| it.eq_ignore_ascii_case(host)),
        }
    }
}

/// The networks of IANA's special-purpose registry (RFC 6890), and multicast.
const SPECIAL_V4: &[Ipv4Net] = &[
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 3),
];

const GLOBAL_UNICAST_V6: Ipv6Net = v6(0x2000, 0, 3);

/// Protocol assignments and documentation, inside of global unicast.
const SPECIAL_V6: &[Ipv6Net] = &[v6(0x2001, 0, 23), v6(0x2001, 0x0db8, 32), v6(0x3fff, 0, 20)];

/// NAT64 (RFC 6052): the last 32 bits are an IPv4 address.
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 96);
/// 6to4 (RFC 3056): so are the 32 bits after the prefix.
const SIX_TO_FOUR: Ipv6Net = v6(0x2002, 0, 16);

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

/// By its first two segments.
const fn v6(first: u16, second: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0), prefix)
}

/// Whether an address is reachable from the whole Internet.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !SPECIAL_V4.iter().any(|network| network.contains(&address))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // Addresses that embed an IPv4 address lead to it: NAT64 and 6to4.
    if NAT64.contains(&address) {
        return is_public_v4(embedded(segments[6], segments[7]));
    }
    if SIX_TO_FOUR.contains(&address) {
        return is_public_v4(embedded(segments[1], segments[2]));
    }
    GLOBAL_UNICAST_V6.contains(&address) && !SPECIAL_V6.iter().any(|network| network.contains(&address))
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))
}

/// Resolves names and drops forbidden addresses, so that the connection goes to a checked address.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    destinations: Destinations,
}

#[derive(Debug, thiserror::Error)]
#[error("{0} has no allowed address")]
pub(super) struct Forbidden(pub(super) String);

impl Resolver {
    pub(super) fn new(destinations: Destinations) -> Self {
        Self { destinations }
    }
}

impl tower_service::Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let destinations = self.destinations.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            if found.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into());
            }
            let allowed: Vec<SocketAddr> = found.into_iter().filter(|it| destinations.allow(&host, it.ip())).collect();
            if allowed.is_empty() { Err(Forbidden(host).into()) } else { Ok(allowed.into_iter()) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[test]
    fn special_addresses_are_not_public() {
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "2001:1ff:ffff::",
            "3fff:fff::1",
            "4000::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "100.128.0.1",
            "223.255.255.255",
            "2001:200::1",
            "2606:4700::1111",
            "3fff:1000::1",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }
}
