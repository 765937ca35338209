//! What the model says about a userset and a tuple, looked up in the model itself.

use std::collections::BTreeSet;

use base::Timestamp;
use permission_language::{Expression, Model, Namespace, Relation};

use super::reference::Place;
use crate::domain::relation_tuple::{StoredTuple, Subject};

/// The value of a condition in a test. Its name decides, or the context of the tuple.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    Fails,
    Error,
}

/// A condition holds if the member `is` of its context, or without a context its name, begins with `true`, fails if it begins with
/// `false`, and has no value otherwise.
pub fn condition(name: &str, context: Option<&str>) -> Verdict {
    let text = context.map_or(name, |context| context.strip_prefix(r#"{"is":"#).unwrap_or_default());
    if text.starts_with("true") {
        Verdict::Holds
    } else if text.starts_with("false") {
        Verdict::Fails
    } else {
        Verdict::Error
    }
}

pub(super) fn counts(stored: &StoredTuple, now: Timestamp) -> Verdict {
    if stored.expires_at.is_some_and(|at| at <= now) {
        return Verdict::Fails;
    }
    match &stored.condition {
        None => Verdict::Holds,
        Some(it) => condition(&it.name, it.context.as_deref()),
    }
}

pub(super) struct Rules<'m> {
    pub(super) expression: Option<&'m Expression>,
    tuples: Tuples<'m>,
}

enum Tuples<'m> {
    All,
    Nothing,
    Ids,
    Typed(&'m Relation),
}

/// `None`: the namespace declares relations, but not this one.
pub(super) fn rules<'m>(model: &'m Model, strict: bool, place: &Place) -> Option<Rules<'m>> {
    let namespace = model.namespaces.iter().find(|it| it.name == place.namespace);
    if let Some(namespace) = namespace {
        if let Some(relation) = namespace.relations.iter().find(|it| it.name == place.relation) {
            let is_typed = strict && !relation.types.is_empty();
            let tuples = if is_typed { Tuples::Typed(relation) } else { Tuples::All };
            return Some(Rules { expression: None, tuples });
        }
        if let Some(permit) = namespace.permits.iter().find(|it| it.name == place.relation) {
            let tuples = if strict { Tuples::Nothing } else { Tuples::All };
            return Some(Rules { expression: Some(&permit.expression), tuples });
        }
        let is_open = namespace.relations.is_empty() && namespace.permits.is_empty();
        if !is_open && !place.relation.is_empty() {
            return None;
        }
    }
    Some(Rules { expression: None, tuples: if strict { Tuples::Ids } else { Tuples::All } })
}

impl Rules<'_> {
    pub(super) fn admits(&self, stored: &StoredTuple) -> bool {
        match (&self.tuples, &stored.tuple.subject) {
            (Tuples::All, _) | (Tuples::Ids | Tuples::Typed(_), Subject::Id(_)) => true,
            (Tuples::Nothing, _) | (Tuples::Ids, Subject::Set(_)) => false,
            (Tuples::Typed(relation), Subject::Set(set)) => relation.types.iter().any(|it| {
                it.namespace == set.namespace
                    && it.relation.as_deref().unwrap_or_default() == set.relation
                    && it.condition.as_deref() == stored.condition.as_ref().map(|it| &*it.name)
            }),
        }
    }
}

/// Whether a permit refers to itself on the same object.
pub(super) fn is_cyclic(model: &Model, place: &Place) -> bool {
    let Some(namespace) = model.namespaces.iter().find(|it| it.name == place.namespace) else { return false };
    let mut reached = BTreeSet::new();
    let mut left = references(namespace, &place.relation);
    while let Some(name) = left.pop() {
        if reached.insert(name.clone()) {
            left.extend(references(namespace, &name));
        }
    }
    reached.contains(&place.relation)
}

fn references(namespace: &Namespace, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    if namespace.relations.iter().any(|it| it.name == name) {
        return found;
    }
    if let Some(permit) = namespace.permits.iter().find(|it| it.name == name) {
        collect(&permit.expression, &mut found);
    }
    found
}

fn collect(expression: &Expression, into: &mut Vec<String>) {
    match expression {
        Expression::Any(members) | Expression::All(members) => members.iter().for_each(|it| collect(it, into)),
        Expression::Not(inner) => collect(inner, into),
        Expression::Has(name) => into.push(name.clone()),
        Expression::Traverse { .. } | Expression::Meets(_) => {}
    }
}
