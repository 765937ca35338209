//! Calls of `traverse` whose evaluation may surprise.
//!
//! `traverse` takes the objects of the traversed relation and ignores the relation of a subject set: for a relation tuple with the
//! subject `N:o#r`, the target is looked for on `N:o`.

use crate::names::{Meaning, Names};
use crate::problem::{Kind, Problem, quote};
use crate::problems::Problems;
use crate::source::Span;
use crate::syntax::{CheckKind, Class, Traverse, Type};

/// Checks a class of a model without errors: then the types that are visited here were visited by the bounded type check.
pub(super) fn check(file: usize, class: &Class<'_>, names: &Names<'_, '_>, problems: &mut Problems) {
    for check in class.permits().flat_map(|permit| permit.expression.checks()) {
        let CheckKind::Traverse(traverse) = check.kind else { continue };
        let members = names.namespace(class.name.text);
        let Some(relation) = members.and_then(|members| members.relations.get(traverse.relation.text)) else {
            continue;
        };
        let mut report = |kind, span: Span, message, remedy| {
            problems.push(Problem { kind, file, span, message, remedy });
        };
        if let Some((message, remedy)) = relation.types.iter().find_map(|it| lost_relation(&traverse, it, names)) {
            report(Kind::LostRelation, traverse.relation.span, message, remedy);
        }
        if let Some((message, remedy)) = relation.types.iter().find_map(|it| mixed(&traverse, it, names)) {
            report(Kind::MixedTraverse, traverse.target.span, message, remedy);
        }
    }
}

fn lost_relation(traverse: &Traverse<'_>, it: &Type<'_>, names: &Names<'_, '_>) -> Option<(String, String)> {
    let relation = it.relation?;
    if relation.text == traverse.target.text {
        return None;
    }
    let (namespace, relation) = (quote(it.namespace.text), quote(relation.text));
    let (traversed, target) = (quote(traverse.relation.text), quote(traverse.target.text));
    let message = format!("traverse ignores {relation} of the type SubjectSet<{namespace}, {relation}> of {traversed}");
    let remedy = if names.meaning(it.namespace.text, traverse.target.text).is_some() {
        format!(
            "{target} is looked for on the object of {namespace} itself; if you mean that, make {namespace} the type of {traversed}"
        )
    } else {
        format!(
            "{target} is looked for on the object of {namespace} itself, which does not declare it; traverse a relation whose types are namespaces"
        )
    };
    Some((message, remedy))
}

fn mixed(traverse: &Traverse<'_>, it: &Type<'_>, names: &Names<'_, '_>) -> Option<(String, String)> {
    let meaning = names.meaning(it.namespace.text, traverse.target.text)?;
    let (target, namespace) = (quote(traverse.target.text), quote(it.namespace.text));
    let argument = quote(traverse.argument.text);
    let argument = argument.trim_matches('"');
    match (meaning, traverse.is_permit) {
        (Meaning::Relation, true) => {
            let message = format!("{target} is a relation of namespace {namespace}, not a permit");
            Some((
                message,
                format!(
                    "write {argument}.related.NAME.includes(ctx.subject); the answer is the same, and TypeScript refuses this form"
                ),
            ))
        }
        (Meaning::Permit, false) => {
            let message = format!("{target} is a permit of namespace {namespace}, not a relation");
            Some((
                message,
                format!("write {argument}.permits.NAME(ctx); the answer is the same, and TypeScript refuses this form"),
            ))
        }
        _ => None,
    }
}
