//! Checks that the names of a model are declared once, and that every reference means something.
//!
//! Specification: the type checks of Ory Keto, with those that 26.3.7 added: duplicates, references of the wrong kind, and a name
//! that is a relation and a permit. All files are one unit, so a name may be declared in another file.

mod duplicates;
mod traverse;

use self::traverse::TraverseCheck;
use crate::names::{Meaning, Names};
use crate::problem::{Kind, Problem, quote};
use crate::problems::Problems;
use crate::source::SourceFile;
use crate::syntax::{CheckKind, Class, File, Name, Type};

pub(crate) fn check(sources: &[SourceFile<'_>], files: &[File<'_>], names: &Names<'_, '_>, problems: &mut Problems) {
    duplicates::check(sources, files, problems);
    let mut traverse = TraverseCheck::new(names);
    for (file, tree) in files.iter().enumerate() {
        for class in tree.classes() {
            let mut checker = Checker { file, class, names, problems };
            checker.types();
            checker.references(&mut traverse);
        }
    }
}

/// Checks the references of one class.
struct Checker<'c, 't, 'a> {
    file: usize,
    class: &'c Class<'a>,
    names: &'c Names<'t, 'a>,
    problems: &'c mut Problems,
}

impl<'a> Checker<'_, '_, 'a> {
    fn types(&mut self) {
        for it in self.class.relations().flat_map(|relation| &relation.types) {
            self.subject_type(it);
        }
    }

    fn subject_type(&mut self, it: &Type<'a>) {
        if let Some(members) = self.names.namespace(it.namespace.text) {
            if let Some(relation) = it.relation.filter(|relation| members.meaning(relation.text).is_none()) {
                self.undeclared_relation(it.namespace.text, relation);
            }
        } else {
            let name = quote(it.namespace.text);
            let remedy = format!("correct the name, or declare the class {name}, if need be without relations");
            self.report(Kind::UndeclaredNamespace, it.namespace, format!("namespace {name} was not declared"), remedy);
        }
        if let Some(condition) = it.condition {
            self.condition(condition);
        }
    }

    fn references(&mut self, traverse: &mut TraverseCheck<'_, '_, 'a>) {
        for check in self.class.permits().flat_map(|permit| permit.expression.checks()) {
            match check.kind {
                CheckKind::Includes(name) => _ = self.reference(name, Meaning::Relation),
                CheckKind::Permits(name) => _ = self.reference(name, Meaning::Permit),
                CheckKind::Meets(name) => self.condition(name),
                CheckKind::Traverse(it) => {
                    // Messages beyond the bound are not made.
                    if self.reference(it.relation, Meaning::Relation) && !self.problems.is_full() {
                        traverse.check(self.class.name.text, &it, |kind, message, remedy| {
                            self.problems.push(Problem {
                                kind,
                                file: self.file,
                                span: it.relation.span,
                                message,
                                remedy,
                            });
                        });
                    }
                }
            }
        }
    }

    /// Whether a reference to a member of the own class is right.
    fn reference(&mut self, name: Name<'a>, expected: Meaning) -> bool {
        let Some(members) = self.names.namespace(self.class.name.text) else { return false };
        let is_right = match expected {
            Meaning::Relation => members.relations.contains_key(name.text),
            Meaning::Permit => members.permits.contains_key(name.text),
        };
        if is_right {
            return true;
        }
        let (what, namespace) = (quote(name.text), quote(self.class.name.text));
        match members.meaning(name.text) {
            None => self.undeclared_relation(self.class.name.text, name),
            Some(Meaning::Permit) => {
                let message = format!("{what} is a permit of namespace {namespace}, not a relation");
                let remedy = "refer to permits with this.permits.NAME(ctx); a permit has no objects to traverse".into();
                self.report(Kind::MixedReference, name, message, remedy);
            }
            Some(Meaning::Relation) => {
                let message = format!("{what} is a relation of namespace {namespace}, not a permit");
                let remedy = "refer to relations with this.related.NAME.includes(ctx.subject)".into();
                self.report(Kind::MixedReference, name, message, remedy);
            }
        }
        false
    }

    fn undeclared_relation(&mut self, namespace: &str, relation: Name<'_>) {
        let (quoted, name) = (quote(namespace), quote(relation.text));
        let message = format!("namespace {quoted} did not declare relation {name}");
        let remedy = format!("correct the name, or declare it in related or permits of class {quoted}");
        self.report(Kind::UndeclaredRelation, relation, message, remedy);
    }

    fn condition(&mut self, name: Name<'_>) {
        if !self.names.has_condition(name.text) {
            let message = format!("condition {} was not declared", quote(name.text));
            let remedy =
                "correct the name, or declare the condition outside of classes: const NAME: Condition = \"EXPRESSION\"";
            self.report(Kind::UndeclaredCondition, name, message, remedy.into());
        }
    }

    fn report(&mut self, kind: Kind, at: Name<'_>, message: String, remedy: String) {
        self.problems.push(Problem { kind, file: self.file, span: at.span, message, remedy });
    }
}

#[cfg(test)]
mod tests;
