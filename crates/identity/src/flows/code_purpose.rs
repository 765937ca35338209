//! The purpose of the codes and links of a flow that sends them.

use crate::domain::CredentialType;
use crate::domain::code::CodePurpose;
use crate::domain::flow::{Details, Flow, Recovery, Verification};

pub(super) trait SendsCodes: Details {
    const CODE: CodePurpose;
    const LINK: CodePurpose;
}

impl SendsCodes for Recovery {
    const CODE: CodePurpose = CodePurpose::Recovery;
    const LINK: CodePurpose = CodePurpose::RecoveryLink;
}

impl SendsCodes for Verification {
    const CODE: CodePurpose = CodePurpose::Verification;
    const LINK: CodePurpose = CodePurpose::VerificationLink;
}

pub(super) fn purpose<D: SendsCodes>(flow: &Flow<D>) -> CodePurpose {
    if flow.active == Some(CredentialType::Link) { D::LINK } else { D::CODE }
}
