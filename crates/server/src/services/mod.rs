//! The services of this build. The start iterates over this list and over their definitions; the demo, the start message and the
//! commands of a service name services.

use std::str::FromStr;

use service::Definition;

/// A service of this build: its definition. A cheap copy.
#[derive(Clone, Copy)]
pub struct Service(&'static Definition);

impl Service {
    pub const IDENTITY: Self = Self(&identity::DEFINITION);
    pub const OAUTH: Self = Self(&oauth::DEFINITION);
    pub const PERMISSIONS: Self = Self(&permissions::DEFINITION);
    pub const GATEWAY: Self = Self(&gateway::DEFINITION);

    /// In the order in which their sections are processed.
    pub const ALL: [Self; 4] = [Self::IDENTITY, Self::OAUTH, Self::PERMISSIONS, Self::GATEWAY];

    /// A service that is not in [`Service::ALL`].
    pub const fn new(definition: &'static Definition) -> Self {
        Self(definition)
    }

    pub const fn definition(self) -> &'static Definition {
        self.0
    }

    /// Its section in the configuration, which is also its name everywhere else.
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// The services of this build, and those of `others` that are not among them.
    pub(crate) fn with(others: &[Self]) -> Vec<Self> {
        let more = others.iter().copied().filter(|service| !Self::ALL.contains(service));
        Self::ALL.into_iter().chain(more).collect()
    }

    fn rank(self) -> usize {
        Self::ALL.iter().position(|service| service.name() == self.name()).unwrap_or(Self::ALL.len())
    }
}

impl PartialEq for Service {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Service {}

impl PartialOrd for Service {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Service {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.rank(), self.name()).cmp(&(other.rank(), other.name()))
    }
}

impl std::hash::Hash for Service {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::fmt::Display for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The name is not one of [`Service::ALL`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no service \"{0}\"; this build has {names}", names = names())]
pub struct UnknownService(String);

/// The names of the services, as a list in a sentence.
pub(crate) fn names() -> String {
    let names = Service::ALL.map(Service::name);
    let (last, others) = names.split_last().unwrap_or((&"none", &[]));
    format!("{} and {last}", others.join(", "))
}

impl FromStr for Service {
    type Err = UnknownService;

    /// By its name, or by that of the program that it replaces.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let program = |service: &Self| service.definition().replaced.as_ref().map(|it| it.program);
        let found = Self::ALL.into_iter().find(|service| service.name() == text || program(service) == Some(text));
        found.ok_or_else(|| UnknownService(text.to_owned()))
    }
}

#[cfg(test)]
mod tests;
