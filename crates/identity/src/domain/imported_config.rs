//! The interface between the domain and the credential that a method imports from another system.

use super::stored_credential::Flaw;
use super::{Credential, IdentityId};

/// What an import is applied to.
#[derive(Clone, Copy)]
pub struct Import<'a> {
    pub owner: IdentityId,
    /// The hash of the plain password of the import.
    pub hashed_password: Option<&'a str>,
}

/// The configuration of a credential in an import.
pub trait ImportedConfig {
    /// Validates it before anything is written.
    fn check(&self) -> Result<(), Flaw>;

    /// Merges it into the credential of the identity.
    fn apply(&self, import: Import<'_>, credential: &mut Credential);
}
