//! The method `totp`.

mod credential;

pub use credential::TotpCredential;

use super::Method;
use crate::domain::CredentialType;
use crate::flows::submission::Submission;

pub(crate) struct Totp;

impl Method for Totp {
    fn kind(&self) -> CredentialType {
        CredentialType::Totp
    }

    fn takes_settings(&self, submission: &Submission) -> bool {
        submission.method() == Some("totp")
    }
}
