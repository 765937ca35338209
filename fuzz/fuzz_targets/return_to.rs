//! The redirect at the end of a flow: checking never panics, and only listed URLs are allowed.
#![no_main]

use std::sync::LazyLock;

use identity::domain::return_to::ReturnUrls;
use libfuzzer_sys::fuzz_target;
use url::Url;

static ALLOWED: LazyLock<ReturnUrls> = LazyLock::new(|| {
    let url = |text: &str| Url::parse(text).expect("a URL");
    let allowed = ["https://a.example/app", "https://*.b.example/", "com.example.app://back"].map(url);
    ReturnUrls::new(allowed, url("https://home.example/"), &url("https://kleis.example/"))
});

fuzz_target!(|candidate: &str| {
    let Ok(url) = ALLOWED.check(candidate) else { return };
    let host = url.host_str().unwrap_or_default();
    let path = url.path();
    let is_listed = match url.scheme() {
        "https" => {
            (host == "a.example" && (path == "/app" || path.starts_with("/app/")))
                || host.ends_with(".b.example")
                || (host == "kleis.example" && path.starts_with("/self-service"))
        }
        "com.example.app" => host == "back",
        _ => false,
    };
    assert!(is_listed && url.username().is_empty(), "{candidate:?} leads to {url}");
    // Other parsers of the same text must get the same URL.
    assert_eq!(ALLOWED.check(url.as_str()).as_ref(), Ok(&url));
});
