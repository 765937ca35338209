//! Untrusted sealed values: opening never panics, and only values that were sealed for this purpose and tenant open.
#![no_main]

use std::sync::LazyLock;

use base::seal::Purpose;
use base::{Rng, Sealer, Secret, TenantId};
use libfuzzer_sys::fuzz_target;

static SEALER: LazyLock<Sealer> = LazyLock::new(|| {
    Sealer::new(&[Secret::new("a secret of the fuzzer".to_owned())], Rng::system()).expect("a sealer")
});

const PURPOSE: Purpose = Purpose("fuzz");
const OTHER: Purpose = Purpose("other");

fuzz_target!(|input: (&[u8], &str, u16, u8)| {
    let (bytes, text, position, flip) = input;
    assert!(SEALER.open(PURPOSE, TenantId::DEFAULT, bytes).is_err());
    assert!(SEALER.open_text(PURPOSE, TenantId::DEFAULT, text).is_err());
    let sealed = SEALER.seal(PURPOSE, TenantId::DEFAULT, bytes);
    assert_eq!(SEALER.open(PURPOSE, TenantId::DEFAULT, &sealed).as_deref(), Ok(bytes));
    assert!(SEALER.open(OTHER, TenantId::DEFAULT, &sealed).is_err());
    let mut changed = sealed.clone();
    let index = usize::from(position) % changed.len();
    changed[index] ^= flip;
    assert_eq!(SEALER.open(PURPOSE, TenantId::DEFAULT, &changed).is_ok(), flip == 0);
});
