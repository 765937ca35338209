//! Page tokens and sizes: parsing never panics, only our own tokens are accepted, and a page size never exceeds its maximum.
#![no_main]

use std::sync::LazyLock;

use base::{Rng, Sealer, Secret, TenantId, Timestamp};
use libfuzzer_sys::fuzz_target;
use web::paging::{Listing, PageQuery};

const LISTING: Listing<(i64, String)> = Listing::new("page of the fuzzer", 10, 100);
const OTHER: Listing<(i64, String)> = Listing::new("page of something else", 10, 100);

static SEALER: LazyLock<Sealer> = LazyLock::new(|| {
    Sealer::new(&[Secret::new("a secret of the fuzzer".to_owned())], Rng::system()).expect("a sealer")
});

fuzz_target!(|input: (Option<String>, Option<String>, i64, String)| {
    let (page_size, page_token, number, text) = input;
    let query = PageQuery { page_size, page_token };
    if let Ok(request) = LISTING.request(&SEALER, TenantId::DEFAULT, &query) {
        assert!((1..=100).contains(&request.size));
        assert!(request.after.is_none(), "a forged token opened");
    }
    let token = LISTING.token.seal(&SEALER, TenantId::DEFAULT, (number, text.clone()), Timestamp::EPOCH);
    let query = PageQuery { page_size: None, page_token: Some(token) };
    let request = LISTING.request(&SEALER, TenantId::DEFAULT, &query).expect("our own token");
    assert_eq!(request.after, Some((number, text)));
    assert!(OTHER.request(&SEALER, TenantId::DEFAULT, &query).is_err());
});
