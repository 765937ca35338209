//! Paths of requests to the gateway (RFC 3986 section 6): normalization never panics, and the matched path is the forwarded
//! one.
#![no_main]

use gateway::testing::{normalize, upstream_path};
use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;

fuzz_target!(|path: &str| {
    let Some(normal) = normalize(path) else { return };
    let decoded = percent_decode_str(&normal.forwarded).decode_utf8().expect("UTF-8");
    assert_eq!(decoded, normal.decoded);
    assert_eq!(normalize(&normal.forwarded).as_ref(), Some(&normal), "normalising twice");
    assert!(normal.decoded.starts_with('/') && !normal.decoded.contains('\\'));
    assert!(!normal.decoded.split('/').any(|segment| matches!(segment, "." | "..")), "{}", normal.decoded);
    assert!(!normal.decoded.chars().any(|character| character.is_ascii_control()));
    assert_eq!(normal.decoded.matches('/').count(), normal.forwarded.matches('/').count(), "a slash was added");
    let servlet: String =
        path.split('/').map(|segment| segment.split(';').next().unwrap_or_default()).collect::<Vec<_>>().join("/");
    if path.contains(';')
        && let (Some(shorter), Some(servlet)) = (&normal.without_parameters, normalize(&servlet))
    {
        assert_eq!(*shorter, servlet.decoded, "a servlet container reads the path in a third way");
    }
    if let Some(sent) = upstream_path("https://b.example", "", path) {
        assert!(sent == normal.forwarded || sent.strip_suffix('/') == Some(normal.forwarded.as_str()), "{sent}");
    }
});
