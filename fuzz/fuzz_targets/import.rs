//! Credentials that are imported: never a panic, and a hash that was taken costs no more than is allowed.
#![no_main]

use identity::domain::import::ImportedCredentials;
use identity::domain::password_hash::PasswordHash;
use libfuzzer_sys::fuzz_target;

/// Far more than any setting of ours, and still what one machine has.
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
