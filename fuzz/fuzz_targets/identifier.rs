//! Identifiers and addresses: normalization never panics, and is idempotent.
#![no_main]

use identity::domain::{CredentialType, Via, identifier};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for kind in [CredentialType::Password, CredentialType::Code, CredentialType::Webauthn] {
        let once = identifier::normalize(kind, text);
        assert_eq!(identifier::normalize(kind, &once), once, "{text:?}");
    }
    for via in [Via::Email, Via::Sms] {
        let once = identifier::normalize_address(via, text);
        assert_eq!(identifier::normalize_address(via, &once), once, "{text:?}");
    }
    if let Some(number) = identifier::e164(text) {
        assert_eq!(identifier::e164(&number).as_deref(), Some(number.as_str()));
    }
    let _ = (identifier::is_email(text), identifier::is_international_email(text));
});
