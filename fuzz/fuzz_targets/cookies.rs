//! The `Cookie` header (RFC 6265 section 5.4): never a panic, and every pair stands in the header as it is given.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|header: &str| {
    for (name, value) in web::cookies::parse(header) {
        assert!(header.contains(name) && header.contains(value));
        assert!(!name.contains([';', '=']) && !value.contains(';'));
    }
});
