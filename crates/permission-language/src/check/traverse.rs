//! Whether every object that `traverse` can reach has the relation or permit that it asks for.
//!
//! Specification: the rule of Ory Keto. The types of the traversed relation declare the target; for `SubjectSet<N, "r">` the types
//! of `N.r` do, and so on for at most ten hops. A circle of subject sets has no end and is refused for that.
//! At evaluation the relation of a subject set plays no part; `lint` warns where that makes a difference.
//!
//! Invariant: the work of all checks together is bounded, because each could visit every type of the model.

use std::collections::HashSet;

use crate::limits::{SUBJECT_SET_HOPS, TRAVERSE_STEPS};
use crate::names::Names;
use crate::problem::{Kind, quote};
use crate::syntax::{Traverse, Type};

pub(super) struct TraverseCheck<'c, 't, 'a> {
    names: &'c Names<'t, 'a>,
    steps_left: usize,
}

impl<'c, 't, 'a> TraverseCheck<'c, 't, 'a> {
    pub(super) fn new(names: &'c Names<'t, 'a>) -> Self {
        Self { names, steps_left: TRAVERSE_STEPS }
    }

    /// Checks one call in a namespace. `report` takes a kind, a message and a remedy.
    pub(super) fn check(
        &mut self,
        namespace: &'a str,
        traverse: &Traverse<'a>,
        mut report: impl FnMut(Kind, String, String),
    ) {
        let (names, target) = (self.names, traverse.target.text);
        let mut level = HashSet::from([(namespace, traverse.relation.text)]);
        let mut missing: HashSet<&str> = HashSet::new();
        for _ in 0..=SUBJECT_SET_HOPS {
            let mut next = HashSet::new();
            for it in level.drain().flat_map(|(namespace, relation)| types_of(names, namespace, relation)) {
                let Some(steps_left) = self.steps_left.checked_sub(1) else {
                    let message = "the types of the traversed relations are too many to be checked".into();
                    let remedy = "name fewer types in the relations that permits traverse".into();
                    return report(Kind::TraverseTooDeep, message, remedy);
                };
                self.steps_left = steps_left;
                let namespace = it.namespace.text;
                if let Some(relation) = it.relation {
                    next.insert((namespace, relation.text));
                } else if let Some(members) = names.namespace(namespace)
                    && members.meaning(target).is_none()
                    && missing.insert(namespace)
                {
                    let (target, name) = (quote(target), quote(namespace));
                    let message = format!("relation {target} was not declared in namespace {name}");
                    let remedy = format!(
                        "every type of relation {} needs {target}: declare it in class {name}, or remove the type",
                        quote(traverse.relation.text)
                    );
                    report(Kind::TraverseTarget, message, remedy);
                }
            }
            if next.is_empty() {
                return;
            }
            level = next;
        }
        let message = "could not typecheck deeply nested SubjectSet further".into();
        let remedy = format!(
            "the subject sets of relation {} lead in a circle, or over more than {SUBJECT_SET_HOPS} relations; traverse \
             a relation whose types are namespaces",
            quote(traverse.relation.text)
        );
        report(Kind::TraverseTooDeep, message, remedy);
    }
}

fn types_of<'t, 'a>(names: &Names<'t, 'a>, namespace: &str, relation: &str) -> &'t [Type<'a>] {
    let relation = names.namespace(namespace).and_then(|members| members.relations.get(relation));
    relation.map_or(&[], |relation| relation.types.as_slice())
}
