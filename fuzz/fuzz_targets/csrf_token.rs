//! CSRF cookies and tokens: checking never panics, and only a token for this browser and this flow is accepted.
#![no_main]

use base::{Rng, uuid::Uuid};
use identity::domain::csrf::CsrfSecret;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, u128, u16, u8)| {
    let (cookie, token, flow, position, flip) = input;
    let flow = Uuid::from_u128(flow);
    let rng = Rng::seeded(1);
    let secret = CsrfSecret::from_cookie(cookie).unwrap_or_else(|| CsrfSecret::generate(&rng));
    assert!(!secret.accepts(token, flow), "{token}");
    let own = secret.token(flow, &rng);
    assert!(secret.accepts(&own, flow));
    assert!(!secret.accepts(&own, Uuid::from_u128(flow.as_u128() ^ 1)));
    let mut changed = own.clone().into_bytes();
    let index = usize::from(position) % changed.len();
    changed[index] ^= flip;
    let Ok(changed) = String::from_utf8(changed) else { return };
    assert_eq!(secret.accepts(&changed, flow), changed == own);
});
