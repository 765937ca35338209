//! Untrusted keys (RFC 7517): parsing never panics, and the public part of a key is a key without a private part.
#![no_main]

use jose::{Jwk, JwkSet, SigningKey, VerificationKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(text) else { return };
    let _ = JwkSet::parse(&value);
    let Ok(jwk) = Jwk::parse(&value) else { return };
    let _ = VerificationKey::new(&jwk);
    let _ = SigningKey::new(&jwk);
    let public = Jwk::parse(&jwk.to_public_value()).expect("the public part is a key");
    assert!(!public.is_private());
});
