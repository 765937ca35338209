//! The request that the gateway decides about, by its target and its forwarded headers: parsing never panics, and the headers
//! of an unlisted peer are not trusted.
#![no_main]

use http::Request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, Option<&str>, [Option<&str>; 4], bool)| {
    let (uri, host, forwarded, is_forwarder) = input;
    let names = ["x-forwarded-method", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-uri"];
    let mut request = Request::builder().uri(uri);
    let named = host.map(|host| ("host", host));
    let described = names.into_iter().zip(forwarded).filter_map(|(name, value)| Some((name, value?)));
    for (name, value) in named.into_iter().chain(described.clone()) {
        request = request.header(name, value);
    }
    let Ok(request) = request.body(()) else { return };
    let (parts, ()) = request.into_parts();
    let proxied = gateway::testing::target_url(&parts, false, false);
    let decided = gateway::testing::target_url(&parts, true, is_forwarder);
    for url in [proxied, decided.clone()].into_iter().flatten() {
        assert!(url.starts_with("http://") || url.starts_with("https://"), "{url}");
        assert!(!url.contains("/../") && !url.contains('\\'), "{url}");
    }
    assert!(is_forwarder || described.count() == 0 || decided.is_none(), "a stranger described another request");
});
