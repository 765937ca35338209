//! Identity providers, `oidc` and `saml`: accounts that people bring along from another system are stored and counted.
//! Signing in by a provider is not offered yet.

pub mod credential;

use super::Method;
use crate::domain::CredentialType;
use crate::flows::submission::Submission;

pub(crate) struct Providers(CredentialType);

pub(crate) const OIDC: Providers = Providers(CredentialType::Oidc);
pub(crate) const SAML: Providers = Providers(CredentialType::Saml);

impl Providers {
    /// A submission may name a provider in place of the method.
    fn takes(&self, submission: &Submission, members: &[&str]) -> bool {
        match submission.method() {
            Some(method) => method == self.0.as_str(),
            // Only one of the two can answer for a provider that is named alone.
            None => self.0 == CredentialType::Oidc && members.iter().any(|name| submission.text(name).is_some()),
        }
    }
}

impl Method for Providers {
    fn kind(&self) -> CredentialType {
        self.0
    }

    fn takes_login(&self, submission: &Submission) -> bool {
        self.takes(submission, &["provider"])
    }

    fn takes_registration(&self, submission: &Submission) -> bool {
        self.takes(submission, &["provider"])
    }

    fn takes_settings(&self, submission: &Submission) -> bool {
        self.0 == CredentialType::Oidc && self.takes(submission, &["link", "unlink"])
    }
}
