//! Types that occur twice in a relation.

use std::collections::HashSet;

use crate::problem::{Kind, Problem, quote};
use crate::problems::Problems;
use crate::syntax::{Class, Type};

pub(super) fn check(file: usize, class: &Class<'_>, problems: &mut Problems) {
    for relation in class.relations() {
        let mut types = HashSet::new();
        for it in relation.types.iter().filter(|it| !types.insert(parts(it))) {
            problems.push(Problem {
                kind: Kind::RepeatedType,
                file,
                span: it.span,
                message: format!("a type of the relation {} occurs twice", quote(relation.name.text)),
                remedy: "remove it, or correct the name if another type is meant".into(),
            });
        }
    }
}

/// What a type consists of.
fn parts<'a>(it: &Type<'a>) -> (&'a str, Option<&'a str>, Option<&'a str>) {
    (it.namespace.text, it.relation.map(|name| name.text), it.condition.map(|name| name.text))
}
