//! The interface between the domain and the stored configuration of a credential, for every method.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer};

use super::factors::{FactorRules, Factors};

/// The operations that a method implements for its credential.
pub trait StoredCredential {
    /// How many factors it counts for.
    fn factors(&self, identifiers: &[String], rules: FactorRules) -> Factors;

    /// Whether the method can use it. An administrator may write it, and a credential that cannot be used would be ignored
    /// without a message.
    fn check(&self) -> Result<(), Flaw> {
        Ok(())
    }

    /// Whether nothing is left that could be proved with it.
    fn is_used_up(&self) -> bool {
        false
    }

    /// Removes what an administrator selected. `identifier` selects one entry where a method has several.
    fn remove(&mut self, identifiers: &mut Vec<String>, identifier: Option<&str>) -> Result<Remainder, RemovalRefused>;
}

/// Why the configuration of a credential cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The member of the configuration; `None` when it is about several.
    pub member: Option<&'static str>,
    pub problem: Cow<'static, str>,
}

impl Flaw {
    pub fn of_member(member: &'static str, problem: impl Into<Cow<'static, str>>) -> Self {
        Self { member: Some(member), problem: problem.into() }
    }

    pub fn of_config(problem: impl Into<Cow<'static, str>>) -> Self {
        Self { member: None, problem: problem.into() }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.member {
            Some(member) => write!(f, "config.{member}: {}", self.problem),
            None => write!(f, "config: {}", self.problem),
        }
    }
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
