//! Whether a relation tuple may be written: its texts are bounded, its namespaces exist, and, with strict validation, the model
//! declares its relation and the type of its subject.
//!
//! Invariant: a tuple that is refused here is refused by every way of writing it.

use base::{NUL_IS_REFUSED, Timestamp, holds_nul};
use permission_language::{Model, Namespace, Relation, SubjectType};

use super::condition::{Object, Root};
use super::invalid_tuple::InvalidTuple;
use super::relation_tuple::{RelationTuple, StoredTuple, Subject, SubjectSet};
use super::tuple_query::TupleQuery;

/// The longest name of a namespace, in bytes.
pub const NAMESPACE_BYTES: usize = 200;
/// The longest name of a relation, in bytes.
pub const RELATION_BYTES: usize = 64;
/// The longest object, subject id or object of a subject set, in bytes. The key of a tuple must fit into an index.
pub const OBJECT_BYTES: usize = 1024;
/// The longest context of a condition, as JSON, in bytes.
pub const CONTEXT_BYTES: usize = 4 * 1024;

/// The rules for writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteRules {
    /// Whether relations and types of subjects must be declared.
    pub checks_types: bool,
    /// Whether subject ids, which have no type, are refused (`feature_flags.strict_mode`).
    pub refuses_subject_ids: bool,
}

impl WriteRules {
    /// Whether `stored` may be written.
    pub fn check(self, model: &Model, stored: &StoredTuple, now: Timestamp) -> Result<(), InvalidTuple> {
        let StoredTuple { tuple, condition, expires_at } = stored;
        check_texts(tuple)?;
        self.check_subject_id(&tuple.subject)?;
        let namespace = find(model, "namespace", &tuple.namespace)?;
        if let Subject::Set(set) = &tuple.subject {
            find(model, "subject_set.namespace", &set.namespace)?;
        }
        if expires_at.is_some_and(|at| at <= now) {
            return Err(InvalidTuple::field("expires_at", "must be in the future"));
        }
        if let Some(condition) = condition {
            if !model.conditions.iter().any(|it| it.name == condition.name) {
                let names = quoted(model.conditions.iter().map(|it| it.name.as_str()));
                let problem = format!("there is no condition \"{}\"; the model has {names}", condition.name);
                return Err(InvalidTuple::field("condition.name", problem));
            }
            if condition.context.as_ref().is_some_and(|json| json.len() > CONTEXT_BYTES) {
                let problem = format!("must have at most {CONTEXT_BYTES} bytes as JSON");
                return Err(InvalidTuple::field("condition.context", problem));
            }
            check_context(condition.context.as_deref())?;
        }
        if !self.checks_types {
            return Ok(());
        }
        if let Subject::Set(set) = &tuple.subject {
            check_subject_relation(model, set)?;
        }
        if declares(namespace) { check_types(namespace, stored) } else { Ok(()) }
    }

    /// Whether `subject` may be written, or asked about in a check.
    pub fn check_subject_id(self, subject: &Subject) -> Result<(), InvalidTuple> {
        match subject {
            Subject::Id(_) if self.refuses_subject_ids => {
                let problem =
                    "is refused in strict mode, because it has no type: use subject_set with an empty relation";
                Err(InvalidTuple::field("subject_id", problem))
            }
            Subject::Id(_) | Subject::Set(_) => Ok(()),
        }
    }
}

/// A namespace without declarations accepts every relation.
fn declares(namespace: &Namespace) -> bool {
    !namespace.relations.is_empty() || !namespace.permits.is_empty()
}

/// Whether the subject set may have members: a namespace that declares its relations has this one.
fn check_subject_relation(model: &Model, set: &SubjectSet) -> Result<(), InvalidTuple> {
    let SubjectSet { namespace, relation, .. } = set;
    let namespace = find(model, "subject_set.namespace", namespace)?;
    let names = || namespace.relations.iter().map(|it| &it.name).chain(namespace.permits.iter().map(|it| &it.name));
    if relation.is_empty() || !declares(namespace) || names().any(|name| name == relation) {
        return Ok(());
    }
    let all = quoted(names().map(String::as_str));
    let problem = format!("\"{relation}\" is not a relation or permission of {}, which has {all}", namespace.name);
    Err(InvalidTuple::field("subject_set.relation", problem))
}

/// Whether conditions can read the context.
fn check_context(context: Option<&str>) -> Result<(), InvalidTuple> {
    let Some(text) = context else { return Ok(()) };
    let invalid = |problem: String| InvalidTuple::field("condition.context", problem);
    let value = serde_json::from_str(text).map_err(|_| invalid("must be a JSON object".to_owned()))?;
    Object::new(Root::Tuple, value).map(drop).map_err(|error| invalid(error.to_string()))
}

/// Whether `tuple` may be deleted or asked about: its texts are bounded, and its namespaces exist.
pub fn check_names(model: &Model, tuple: &RelationTuple) -> Result<(), InvalidTuple> {
    check_text("namespace", &tuple.namespace, NAMESPACE_BYTES)?;
    check_text("object", &tuple.object, OBJECT_BYTES)?;
    check_asked_relation(model, "relation", (&tuple.namespace, &tuple.relation))?;
    check_subject_texts(&tuple.subject, |field, of| check_asked_relation(model, field, of))?;
    find(model, "namespace", &tuple.namespace)?;
    if let Subject::Set(set) = &tuple.subject {
        find(model, "subject_set.namespace", &set.namespace)?;
    }
    Ok(())
}

/// Whether the subjects of `set` may be asked about.
pub fn check_set(model: &Model, set: &SubjectSet) -> Result<(), InvalidTuple> {
    check_text("namespace", &set.namespace, NAMESPACE_BYTES)?;
    check_text("object", &set.object, OBJECT_BYTES)?;
    check_asked_relation(model, "relation", (&set.namespace, &set.relation))?;
    find(model, "namespace", &set.namespace).map(|_| ())
}

/// A permit may have a longer name than a relation of tuples, because no tuple has it.
fn check_asked_relation(model: &Model, field: &str, (namespace, relation): (&str, &str)) -> Result<(), InvalidTuple> {
    let is_declared = |it: &Namespace| it.name == namespace && it.permits.iter().any(|permit| permit.name == relation);
    if relation.len() > RELATION_BYTES && model.namespaces.iter().any(is_declared) {
        return refuse_nul(field, relation);
    }
    check_written_relation(field, (namespace, relation))
}

fn check_written_relation(field: &str, (_, relation): (&str, &str)) -> Result<(), InvalidTuple> {
    check_text(field, relation, RELATION_BYTES)
}

/// Whether the query can be asked: its namespaces exist, and no text contains U+0000.
pub fn check_query(model: &Model, query: &TupleQuery) -> Result<(), InvalidTuple> {
    let parts = [("namespace", &query.namespace), ("object", &query.object), ("relation", &query.relation)];
    for (field, text) in parts {
        refuse_nul(field, text.as_deref().unwrap_or_default())?;
    }
    if let Some(subject) = &query.subject {
        check_subject_texts(subject, check_written_relation)?;
    }
    for (field, namespace) in query.namespaces() {
        find(model, field, namespace)?;
    }
    Ok(())
}

fn find<'a>(model: &'a Model, field: &str, name: &str) -> Result<&'a Namespace, InvalidTuple> {
    let found = model.namespaces.iter().find(|namespace| namespace.name == name);
    found.ok_or_else(|| InvalidTuple::UnknownNamespace { field: field.to_owned(), namespace: name.to_owned() })
}

fn check_texts(tuple: &RelationTuple) -> Result<(), InvalidTuple> {
    check_text("namespace", &tuple.namespace, NAMESPACE_BYTES)?;
    check_text("object", &tuple.object, OBJECT_BYTES)?;
    check_text("relation", &tuple.relation, RELATION_BYTES)?;
    check_subject_texts(&tuple.subject, check_written_relation)
}

fn check_subject_texts(
    subject: &Subject,
    check_relation: impl Fn(&str, (&str, &str)) -> Result<(), InvalidTuple>,
) -> Result<(), InvalidTuple> {
    match subject {
        Subject::Id(id) => check_text("subject_id", id, OBJECT_BYTES),
        // A subject set with an empty namespace would be the subject id.
        Subject::Set(SubjectSet { namespace, .. }) if namespace.is_empty() => {
            Err(InvalidTuple::UnknownNamespace { field: "subject_set.namespace".to_owned(), namespace: String::new() })
        }
        Subject::Set(SubjectSet { namespace, object, relation }) => {
            check_text("subject_set.namespace", namespace, NAMESPACE_BYTES)?;
            check_text("subject_set.object", object, OBJECT_BYTES)?;
            check_relation("subject_set.relation", (namespace, relation))
        }
    }
}

fn check_text(field: &str, text: &str, longest: usize) -> Result<(), InvalidTuple> {
    if text.len() > longest {
        return Err(InvalidTuple::field(field, format!("must have at most {longest} bytes")));
    }
    refuse_nul(field, text)
}

fn refuse_nul(field: &str, text: &str) -> Result<(), InvalidTuple> {
    if holds_nul(text) { Err(InvalidTuple::field(field, NUL_IS_REFUSED)) } else { Ok(()) }
}

/// The relation is declared, and one of its types is that of the subject, with the same condition.
fn check_types(namespace: &Namespace, stored: &StoredTuple) -> Result<(), InvalidTuple> {
    let tuple = &stored.tuple;
    let Some(relation) = namespace.relations.iter().find(|it| it.name == tuple.relation) else {
        return Err(undeclared(namespace, &tuple.relation));
    };
    let Subject::Set(set) = &tuple.subject else { return check_untyped(relation, stored) };
    if relation.types.is_empty() {
        return Ok(());
    }
    let is_of_type =
        |it: &&SubjectType| it.namespace == set.namespace && it.relation.as_deref().unwrap_or_default() == set.relation;
    let types: Vec<&SubjectType> = relation.types.iter().filter(is_of_type).collect();
    if types.is_empty() {
        let field = if relation.types.iter().any(|it| it.namespace == set.namespace) {
            "subject_set.relation"
        } else {
            "subject_set.namespace"
        };
        let allowed: Vec<String> = relation.types.iter().map(type_name).collect();
        let problem = format!(
            "is not a type that \"{}\" of {} accepts: it accepts {}",
            relation.name,
            namespace.name,
            allowed.join(", ")
        );
        return Err(InvalidTuple::field(field, problem));
    }
    let condition = stored.condition.as_ref().map(|it| it.name.as_str());
    if types.iter().any(|it| it.condition.as_deref() == condition) {
        return Ok(());
    }
    let names = quoted(types.iter().filter_map(|it| it.condition.as_deref()));
    let may_lack_one = types.iter().any(|it| it.condition.is_none());
    Err(InvalidTuple::field(
        "condition.name",
        match (condition, may_lack_one) {
            (None, _) => format!("is required for this type of subject: it must be {names}"),
            (Some(_), true) if names == NONE => "this type of subject has no condition".to_owned(),
            (Some(_), true) => format!("must be {names}, or be left out"),
            (Some(_), false) => format!("must be {names}"),
        },
    ))
}

/// A subject id has no type: it stands for a subject of any namespace that the relation accepts without a condition.
fn check_untyped(relation: &Relation, stored: &StoredTuple) -> Result<(), InvalidTuple> {
    if relation.types.is_empty() {
        return Ok(());
    }
    if stored.condition.is_some() {
        return Err(InvalidTuple::field("condition.name", "a subject_id has no type, and so no condition"));
    }
    if relation.types.iter().any(|it| it.relation.is_none() && it.condition.is_none()) {
        return Ok(());
    }
    let allowed: Vec<String> = relation.types.iter().map(full_name).collect();
    let problem = format!("a subject_id has no type, and \"{}\" accepts only {}", relation.name, allowed.join(", "));
    Err(InvalidTuple::field("subject_id", problem))
}

fn undeclared(namespace: &Namespace, relation: &str) -> InvalidTuple {
    let problem = if namespace.permits.iter().any(|it| it.name == relation) {
        format!(
            "\"{relation}\" of {} is a permission, which follows from relations and cannot be written",
            namespace.name
        )
    } else {
        let names = quoted(namespace.relations.iter().map(|it| it.name.as_str()));
        format!("\"{relation}\" is not a relation of {}, which has {names}", namespace.name)
    };
    InvalidTuple::field("relation", problem)
}

fn type_name(it: &SubjectType) -> String {
    match &it.relation {
        Some(relation) => format!("{}#{relation}", it.namespace),
        None => it.namespace.clone(),
    }
}

/// The type with its condition.
pub(super) fn full_name(it: &SubjectType) -> String {
    let condition = it.condition.as_ref().map(|name| format!(" with the condition \"{name}\""));
    type_name(it) + &condition.unwrap_or_default()
}

const NONE: &str = "none";

/// Names as a list in a sentence; at most 20 of them.
fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const MOST: usize = 20;
    let mut names = names.map(|name| format!("\"{name}\""));
    let mut shown: Vec<String> = names.by_ref().take(MOST).collect();
    if shown.is_empty() {
        return NONE.to_owned();
    }
    shown.extend(names.next().map(|_| "others".to_owned()));
    shown.join(", ")
}

#[cfg(test)]
mod tests;
