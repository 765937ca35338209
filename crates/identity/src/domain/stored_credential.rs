//! The interface between the domain and the stored configuration of a credential, for every method.

use serde::{Deserialize, Deserializer};

use super::factors::{FactorRules, Factors};

/// The operations that a method implements for its credential.
pub trait StoredCredential {
    /// How many factors it counts for.
    fn factors(&self, identifiers: &[String], rules: FactorRules) -> Factors;

    /// Whether nothing is left that could be proved with it.
    fn is_used_up(&self) -> bool {
        false
    }

    /// Removes what an administrator selected. `identifier` selects one entry where a method has several.
    fn remove(&mut self, identifiers: &mut Vec<String>, identifier: Option<&str>) -> Result<Remainder, RemovalRefused>;
}

/// Other systems write `null` for absent values.
pub(crate) fn null_as_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The rest of a credential after a removal.
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
    /// The identifier of the entry is missing.
    IdentifierMissing,
    /// The entry does not exist.
    Unknown,
}
