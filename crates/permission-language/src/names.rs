//! The names that files declare, for look-ups.
//!
//! Invariant: where one name is a relation and a permit of a namespace, it is the relation.

use std::collections::{HashMap, HashSet};

use crate::syntax::{File, Permit, Relation};

/// The names of all files that are parsed together.
#[derive(Debug, Default)]
pub(crate) struct Names<'t, 'a> {
    namespaces: HashMap<&'a str, Members<'t, 'a>>,
    conditions: HashSet<&'a str>,
}

#[derive(Debug, Default)]
pub(crate) struct Members<'t, 'a> {
    pub(crate) relations: HashMap<&'a str, &'t Relation<'a>>,
    pub(crate) permits: HashMap<&'a str, &'t Permit<'a>>,
}

/// What a name stands for in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Relation,
    Permit,
}

impl<'t, 'a> Names<'t, 'a> {
    pub(crate) fn of(files: &'t [File<'a>]) -> Self {
        let mut names = Self::default();
        for class in files.iter().flat_map(File::classes) {
            // A namespace that is declared twice has the members of both, so that only the declaration is reported.
            let members = names.namespaces.entry(class.name.text).or_default();
            for relation in class.relations() {
                members.relations.entry(relation.name.text).or_insert(relation);
            }
            for permit in class.permits() {
                members.permits.entry(permit.name.text).or_insert(permit);
            }
        }
        names.conditions = files.iter().flat_map(File::conditions).map(|it| it.name.text).collect();
        names
    }

    pub(crate) fn namespace(&self, name: &str) -> Option<&Members<'t, 'a>> {
        self.namespaces.get(name)
    }

    pub(crate) fn has_condition(&self, name: &str) -> bool {
        self.conditions.contains(name)
    }

    pub(crate) fn meaning(&self, namespace: &str, name: &str) -> Option<Meaning> {
        self.namespace(namespace)?.meaning(name)
    }
}

impl Members<'_, '_> {
    pub(crate) fn meaning(&self, name: &str) -> Option<Meaning> {
        if self.relations.contains_key(name) {
            Some(Meaning::Relation)
        } else {
            self.permits.contains_key(name).then_some(Meaning::Permit)
        }
    }
}
