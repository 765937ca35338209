//! Web Authentication, `webauthn` and `passkey`: keys that are imported from another system are stored and counted. Sign-in
//! with a key is not supported yet.

pub mod credential;
pub mod import;

use super::Method;
use crate::domain::CredentialType;
use crate::flows::submission::Submission;

pub(crate) struct Keys(CredentialType);

pub(crate) const WEBAUTHN: Keys = Keys(CredentialType::Webauthn);
pub(crate) const PASSKEY: Keys = Keys(CredentialType::Passkey);

impl Method for Keys {
    fn kind(&self) -> CredentialType {
        self.0
    }

    fn takes_registration(&self, submission: &Submission) -> bool {
        submission.method() == Some(self.0.as_str())
    }

    /// The nodes of a registration have the same order.
    fn node_order(&self) -> &'static [&'static str] {
        match self.0 {
            CredentialType::Passkey => &["passkey_remove", "passkey_register"],
            _ => &["webauthn_remove", "webauthn_register_displayname", "webauthn_register"],
        }
    }

    fn takes_settings(&self, submission: &Submission) -> bool {
        submission.method() == Some(self.0.as_str())
    }
}
