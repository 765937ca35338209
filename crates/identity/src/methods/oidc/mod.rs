//! Identity providers, `oidc` and `saml`: accounts that are imported from another system are stored and counted. Sign-in
//! with a provider is not supported yet.

pub mod credential;
pub mod import;

use super::Method;
use crate::domain::CredentialType;
use crate::flows::submission::Submission;

pub(crate) struct Providers(CredentialType);

pub(crate) const OIDC: Providers = Providers(CredentialType::Oidc);
pub(crate) const SAML: Providers = Providers(CredentialType::Saml);

impl Providers {
    /// A submission may contain a provider instead of the method.
    fn takes(&self, submission: &Submission, members: &[&str]) -> bool {
        match submission.method() {
            Some(method) => method == self.0.as_str(),
            // Only one of the two can handle a submission with a provider alone.
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
