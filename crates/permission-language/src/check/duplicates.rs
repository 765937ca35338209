//! Names that are declared twice.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::positions;
use crate::problem::{Kind, Problem, quote, visible};
use crate::problems::Problems;
use crate::source::{SourceFile, Span};
use crate::syntax::{Class, File, Name};

pub(super) fn check(sources: &[SourceFile<'_>], files: &[File<'_>], problems: &mut Problems) {
    let mut check = Check { sources, problems };
    let mut namespaces = HashMap::new();
    let mut conditions = HashMap::new();
    for (file, tree) in files.iter().enumerate() {
        for class in tree.classes() {
            check.declare(&mut namespaces, file, class.name, |name| format!("namespace {name} was already declared"));
            check.members(file, class);
        }
        for condition in tree.conditions() {
            check.declare(&mut conditions, file, condition.name, |name| {
                format!("condition {name} was already declared")
            });
        }
    }
}

/// The declared names with the places of their first declarations.
type Declared<'a> = HashMap<&'a str, (usize, Span)>;

struct Check<'c> {
    sources: &'c [SourceFile<'c>],
    problems: &'c mut Problems,
}

impl Check<'_> {
    fn members(&mut self, file: usize, class: &Class<'_>) {
        let namespace = quote(class.name.text);
        let mut relations = HashMap::new();
        let mut permits = HashMap::new();
        for relation in class.relations() {
            let message = |name| format!("relation {name} was already declared in namespace {namespace}");
            self.declare(&mut relations, file, relation.name, message);
        }
        for permit in class.permits() {
            let message = |name| format!("permit {name} was already declared in namespace {namespace}");
            self.declare(&mut permits, file, permit.name, message);
        }
        for permit in class.permits() {
            if relations.contains_key(permit.name.text) && permits.remove(permit.name.text).is_some() {
                self.collision(file, class, permit.name);
            }
        }
    }

    fn declare<'a>(
        &mut self,
        declared: &mut Declared<'a>,
        file: usize,
        name: Name<'a>,
        message: impl FnOnce(String) -> String,
    ) {
        match declared.entry(name.text) {
            Entry::Vacant(entry) => _ = entry.insert((file, name.span)),
            Entry::Occupied(entry) => {
                if self.problems.is_full() {
                    return;
                }
                let (first_file, first_span) = *entry.get();
                let place = self.place(first_file, first_span);
                self.problems.push(Problem {
                    kind: Kind::Duplicate,
                    file,
                    span: name.span,
                    message: message(quote(name.text)),
                    remedy: format!("the first declaration is at {place}; merge the two, or rename one"),
                });
            }
        }
    }

    fn place(&self, file: usize, span: Span) -> String {
        let Some(source) = self.sources.get(file) else { return String::new() };
        let position = positions::position(source.text, span.start);
        format!("{}:{}:{}", visible(source.name), position.line, position.column)
    }

    /// Loads, because files with it exist; the replaced system announced to refuse it later.
    fn collision(&mut self, file: usize, class: &Class<'_>, name: Name<'_>) {
        let (quoted, namespace) = (quote(name.text), quote(class.name.text));
        self.problems.push(Problem {
            kind: Kind::Collision,
            file,
            span: name.span,
            message: format!("{quoted} is declared as a relation and as a permit in namespace {namespace}"),
            remedy: format!(
                "the relation counts and the permit has no effect. When you rename the permit, answers do not change. When \
                 you rename the relation, checks of {quoted} follow the permit: rename the relation tuples of \
                 {namespace} with the relation {quoted} and the subject sets that name it as well, or they stop to count"
            ),
        });
    }
}
