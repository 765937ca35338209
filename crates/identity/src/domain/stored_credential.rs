//! What the domain asks of the stored configuration of a credential, whichever method it is of.

use serde::{Deserialize, Deserializer};

use super::factors::{FactorRules, Factors};

/// What the room of a method knows of its credential.
pub trait StoredCredential {
    /// For how many factors it counts.
    fn factors(&self, identifiers: &[String], rules: FactorRules) -> Factors;

    /// Removes what an administrator names. `identifier` chooses one of several, where a method has several.
    fn remove(&mut self, identifiers: &mut Vec<String>, identifier: Option<&str>) -> Result<Remainder, RemovalRefused>;
}

/// Other systems write `null` where there is nothing.
pub(crate) fn null_as_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// What is left of a credential after a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remainder {
    Nothing,
    Something,
}

/// Why nothing was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovalRefused {
    /// Credentials of this kind cannot be deleted.
    Unsupported,
    /// An identifier has to say which one.
    IdentifierMissing,
    /// There is no such one.
    Unknown,
}
