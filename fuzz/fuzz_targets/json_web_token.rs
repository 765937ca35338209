//! Untrusted tokens (RFC 7515): verification never panics, and only a token that was signed with the key verifies.
#![no_main]

use std::sync::LazyLock;

use jose::{Algorithm, Jwk, Jws, SigningKey, VerificationKeys};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

static KEYS: LazyLock<(VerificationKeys, String)> = LazyLock::new(|| {
    let jwk = Jwk::generate(Algorithm::ES256, "k".to_owned()).expect("a key");
    let token = SigningKey::new(&jwk).expect("a signing key").sign(&json!({ "sub": "alice" })).expect("a token");
    ([jwk].iter().collect(), token)
});

fuzz_target!(|input: (&str, u16, u8)| {
    let (text, position, byte) = input;
    let (keys, token) = &*KEYS;
    if let Ok(jws) = Jws::parse(text) {
        assert!(jws.verify(keys, &Algorithm::ALL).is_err(), "a forged token verified");
    }
    // With one byte of a valid token replaced, it is the same token or does not verify.
    let mut changed = token.clone().into_bytes();
    let index = usize::from(position) % changed.len();
    changed[index] = byte;
    let Ok(changed) = String::from_utf8(changed) else { return };
    let verifies = Jws::parse(&changed).is_ok_and(|jws| jws.verify(keys, &Algorithm::ALL).is_ok());
    assert_eq!(verifies, changed == *token, "{changed}");
});
