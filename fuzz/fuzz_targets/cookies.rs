//! The `Cookie` header (RFC 6265 section 5.4): parsing never panics, and every returned pair is a part of the header.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|header: &str| {
    for (name, value) in web::cookies::parse(header) {
        assert!(header.contains(name) && header.contains(value));
        assert!(!name.contains([';', '=']) && !value.contains(';'));
    }
});
