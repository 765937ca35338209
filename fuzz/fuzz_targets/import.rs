//! Imported credentials: parsing never panics, and an accepted hash costs no more than allowed.
#![no_main]

use identity::domain::import::ImportedCredentials;
use identity::domain::password_hash::PasswordHash;
use libfuzzer_sys::fuzz_target;

/// Much more than any of our settings, and still within the memory of one machine.
const MOST_KIB: u32 = 4 * 1024 * 1024;

fuzz_target!(|text: &str| {
    if let Ok(hash) = PasswordHash::parse(text) {
        assert!(hash.memory_kib() <= MOST_KIB, "{text}");
        let _ = (hash.bcrypt_cost(), hash.argon2id_parameters());
    }
    if let Ok(credentials) = web::Json::<ImportedCredentials>::decode(text.as_bytes()) {
        let _ = credentials.check();
        let _ = credentials.plain_password();
    }
});
