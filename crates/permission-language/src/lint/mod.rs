//! Warnings about models that load, and may not mean what they seem to.
//!
//! A relation that nothing refers to is no warning: clients check relations directly.

mod cycles;
mod grouping;
mod open_permits;
mod repeated_types;
mod traverse;

use std::collections::HashSet;

use crate::names::Names;
use crate::problem::{Kind, Problem, quote};
use crate::problems::Problems;
use crate::syntax::{CheckKind, File, Type};

/// Looks for warnings in checked files.
pub(crate) fn lint(files: &[File<'_>], names: &Names<'_, '_>, problems: &mut Problems) {
    let used = Used::of(files);
    for (file, tree) in files.iter().enumerate() {
        for class in tree.classes() {
            for permit in class.permits() {
                grouping::check(file, &permit.expression, problems);
            }
            cycles::check(file, class, names, problems);
            traverse::check(file, class, names, problems);
            repeated_types::check(file, class, problems);
            open_permits::check(file, class, &used.permits, problems);
        }
        used.check(file, tree, problems);
    }
}

/// The namespaces that are types, the permits that anything refers to, and the conditions that anything names.
#[derive(Default)]
struct Used<'a> {
    namespaces: HashSet<&'a str>,
    /// The names alone, whichever namespaces they belong to.
    permits: HashSet<&'a str>,
    conditions: HashSet<&'a str>,
}

impl<'a> Used<'a> {
    fn of(files: &[File<'a>]) -> Self {
        let mut used = Self::default();
        for class in files.iter().flat_map(File::classes) {
            for it in class.relations().flat_map(|relation| &relation.types) {
                used.subject_type(it);
            }
            for check in class.permits().flat_map(|permit| permit.expression.checks()) {
                match check.kind {
                    CheckKind::Includes(_) => {}
                    CheckKind::Meets(condition) => used.conditions.extend([condition.text]),
                    CheckKind::Permits(permit) => used.permits.extend([permit.text]),
                    CheckKind::Traverse(traverse) => used.permits.extend([traverse.target.text]),
                }
            }
        }
        used
    }

    fn subject_type(&mut self, it: &Type<'a>) {
        self.namespaces.insert(it.namespace.text);
        self.permits.extend(it.relation.map(|relation| relation.text));
        self.conditions.extend(it.condition.map(|condition| condition.text));
    }

    fn check(&self, file: usize, tree: &File<'a>, problems: &mut Problems) {
        for class in tree.classes() {
            let is_empty = class.relations().next().is_none() && class.permits().next().is_none();
            if is_empty && !self.namespaces.contains(class.name.text) {
                let name = quote(class.name.text);
                problems.push(Problem {
                    kind: Kind::UnusedNamespace,
                    file,
                    span: class.name.span,
                    message: format!("namespace {name} is empty, and no relation has it as a type"),
                    remedy: "it accepts relation tuples of any relation; declare its relations, or remove it".into(),
                });
            }
        }
        for condition in tree.conditions().filter(|it| !self.conditions.contains(it.name.text)) {
            let name = quote(condition.name.text);
            problems.push(Problem {
                kind: Kind::UnusedCondition,
                file,
                span: condition.name.span,
                message: format!("condition {name} is not used"),
                remedy: format!(
                    "name it in a type, When<NAMESPACE, {name}>, or in a permit, ctx.meets({name}), or remove it"
                ),
            });
        }
    }
}

#[cfg(test)]
mod tests;
