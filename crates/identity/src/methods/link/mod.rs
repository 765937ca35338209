//! The method `link`: a link in a mail proves an address, in recovery and verification. It is not a sign-in method by
//! itself.

pub mod config;
mod nodes;

pub(crate) use nodes::form;

use super::Method;
use crate::domain::CredentialType;
use crate::flows::submission::Submission;

pub(crate) struct Link;

impl Method for Link {
    fn kind(&self) -> CredentialType {
        CredentialType::Link
    }
    fn takes_settings(&self, submission: &Submission) -> bool {
        submission.method() == Some(self.kind().as_str())
    }
}
