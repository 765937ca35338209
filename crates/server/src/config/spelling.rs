//! The names of keys in messages: as the file or the variable that sets them spells them.
//!
//! Invariant: a fault of a value that a variable set names the variable, never a file.

use std::collections::BTreeMap;

use super::{Fault, Service};

/// The services that are configured by a file of the program that they replace, each with the name of the file, if it has one.
type Classic = BTreeMap<Service, Option<String>>;

/// The sources of a configuration.
#[derive(Clone, Debug, Default)]
pub(super) struct Spelling {
    pub(super) classic: Classic,
    /// The variables that set a key, in the order in which they were applied.
    pub(super) variables: Vec<Variable>,
}

/// An environment variable that sets a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: String,
    /// The dotted path of the key.
    pub(super) path: String,
    pub(super) is_empty: bool,
}

impl Variable {
    /// Whether the key at `path` belongs to the value. Keys that services share are named without the section.
    fn sets(&self, path: &str) -> bool {
        let is_within = |own: &str| path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let in_section =
            self.path.split_once('.').filter(|(first, _)| Service::ALL.iter().any(|it| it.name() == *first));
        is_within(&self.path) || in_section.is_some_and(|(_, key)| is_within(key))
    }
}

impl Spelling {
    /// A flag takes precedence over the variables of its key.
    pub(super) fn forget_variables_of(&mut self, key: &str) {
        self.variables.retain(|variable| !variable.sets(key));
    }

    /// The fault with its path as its source spells it.
    pub(super) fn fault(&self, fault: Fault) -> Fault {
        let Some(variable) = self.variables.iter().rev().find(|variable| variable.sets(&fault.path)) else {
            return Fault { path: self.path(&fault.path), ..fault };
        };
        if variable.is_empty {
            return Fault::new(&variable.name, "is empty: give it a value, or unset it");
        }
        let key = self.key(&fault.path).map_or(fault.path.as_str(), |(_, key)| key);
        Fault { path: format!("{} ({key})", variable.name), ..fault }
    }

    /// A path as the file spells it: a file of a replaced program has no sections.
    pub(super) fn path(&self, path: &str) -> String {
        match self.key(path) {
            Some((Some(file), key)) => format!("{file}: {key}"),
            Some((None, key)) => key.to_owned(),
            None => path.to_owned(),
        }
    }

    /// The file of a replaced program that a path belongs to, and the key in it.
    fn key<'a>(&self, path: &'a str) -> Option<(Option<&str>, &'a str)> {
        self.classic.iter().find_map(|(service, file)| {
            let key = path.strip_prefix(service.name())?.strip_prefix('.')?;
            Some((file.as_deref(), key))
        })
    }
}
