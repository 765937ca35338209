//! Faults of a configuration, each with the path of its key and without its value, which may be secret.

use std::fmt;

pub use service::Severity;

use super::Service;

/// An error that prevents the use of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The key, such as `identity.serve.public.port`, or the file or variable.
    pub path: String,
    pub message: String,
}

impl Fault {
    /// A fault that a service found in its section.
    pub(crate) fn of(service: Service, fault: service::Fault) -> Self {
        Self { path: path_of(service, &fault.key), message: fault.message }
    }

    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.path, self.message) }
    }
}

/// A note about a configuration that can be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// The key, as in a [`Fault`].
    pub path: String,
    pub message: String,
    pub severity: Severity,
}

impl Notice {
    /// A notice of a service about its section.
    pub(crate) fn of(service: Service, notice: service::Notice) -> Self {
        let service::Notice { key, message, severity } = notice;
        Self { path: path_of(service, &key), message, severity }
    }

    pub fn warning(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), severity: Severity::Warning }
    }

    pub fn information(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Information, ..Self::warning(path, message) }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.path, self.message) }
    }
}

/// All faults, reported together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration cannot be used:")?;
        for fault in &self.0 {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

/// The path of a key of a section; without a key, the section.
fn path_of(service: Service, key: &str) -> String {
    if key.is_empty() { service.name().to_owned() } else { format!("{service}.{key}") }
}
