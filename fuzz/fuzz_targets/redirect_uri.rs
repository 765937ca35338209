//! Redirect URIs (RFC 9700 section 4.1.3): matching never panics, and only the port of a loopback address may differ.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oauth_types::{RedirectUri, redirect_uri_matches};

fuzz_target!(|input: (&str, &str)| {
    let (registered, requested) = input;
    let Ok(uri) = RedirectUri::parse(requested) else { return };
    assert_eq!(uri.as_str(), requested);
    assert!(redirect_uri_matches(requested, &uri));
    if redirect_uri_matches(registered, &uri) && registered != requested {
        let other = RedirectUri::parse(registered).expect("a matching URI is a valid redirect URI");
        for url in [uri.as_url(), other.as_url()] {
            assert_eq!(url.scheme(), "http");
            assert!(
                matches!(url.host_str(), Some("[::1]")) || url.host_str().is_some_and(|host| host.starts_with("127."))
            );
        }
        assert_eq!(uri.as_url().host(), other.as_url().host());
        assert_eq!((uri.as_url().path(), uri.as_url().query()), (other.as_url().path(), other.as_url().query()));
    }
});
