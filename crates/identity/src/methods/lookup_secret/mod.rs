//! The method `lookup_secret`.

mod credential;

pub use credential::{LookupCode, LookupSecretCredential};

use super::Method;
use crate::domain::CredentialType;
use crate::flows::submission::Submission;

pub(crate) struct LookupSecret;

impl Method for LookupSecret {
    fn kind(&self) -> CredentialType {
        CredentialType::LookupSecret
    }

    fn takes_settings(&self, submission: &Submission) -> bool {
        submission.method() == Some("lookup_secret")
    }
}
