//! Forwarded headers: parsing never panics, and only listed peers are trusted.
#![no_main]

use std::net::IpAddr;

use http::HeaderMap;
use libfuzzer_sys::fuzz_target;
use web::TrustedProxies;

fuzz_target!(|input: (u32, Vec<Vec<u8>>, Vec<u8>, Vec<u8>)| {
    let (peer, chain, host, proto) = input;
    let peer = IpAddr::from(peer.to_be_bytes());
    let mut headers = HeaderMap::new();
    for value in chain.iter().filter_map(|value| value.as_slice().try_into().ok()) {
        headers.append("x-forwarded-for", value);
    }
    for (name, value) in [("x-forwarded-host", host), ("x-forwarded-proto", proto)] {
        if let Ok(value) = value.as_slice().try_into() {
            headers.insert(name, value);
        }
    }
    let unlisted = TrustedProxies::default();
    assert_eq!(unlisted.client_address(peer, &headers), peer);
    assert_eq!(unlisted.origin(Some(peer), false, &headers).host, "");
    let listed = TrustedProxies::new(["0.0.0.0/1".parse().expect("a network")]);
    let address = listed.client_address(peer, &headers);
    assert!(listed.contains(peer) || address == peer);
    assert!(matches!(listed.origin(Some(peer), false, &headers).scheme.as_str(), "http" | "https"));
});
