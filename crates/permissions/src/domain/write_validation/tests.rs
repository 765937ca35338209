//! Which tuples may be written.

use permission_language::{Condition, Expression, Permit};

use super::*;
use crate::domain::relation_tuple::TupleCondition;

const STRICT: WriteRules = WriteRules { checks_types: true, refuses_subject_ids: false };
const LAX: WriteRules = WriteRules { checks_types: false, refuses_subject_ids: false };

fn of_type(namespace: &str, relation: Option<&str>, condition: Option<&str>) -> SubjectType {
    SubjectType {
        namespace: namespace.into(),
        relation: relation.map(str::to_owned),
        condition: condition.map(str::to_owned),
    }
}

/// `Doc` with `viewer: (User | Group#member)[]`, `editor: When<User, "hours">[]`, `owner` of any subject, `banned: Group#member[]` and
/// the permission `view`; the legacy namespace `Old`.
fn model() -> Model {
    let relation = |name: &str, types| Relation { name: name.into(), types };
    let relations = vec![
        relation("viewer", vec![of_type("User", None, None), of_type("Group", Some("member"), None)]),
        relation("editor", vec![of_type("User", None, Some("hours"))]),
        relation("owner", Vec::new()),
        relation("banned", vec![of_type("Group", Some("member"), None)]),
    ];
    let permits = vec![Permit { name: "view".into(), expression: Expression::Has("viewer".into()) }];
    let plain = |name: &str| Namespace { name: name.into(), ..Namespace::default() };
    Model {
        namespaces: vec![
            Namespace { name: "Doc".into(), relations, permits },
            plain("User"),
            plain("Group"),
            plain("Old"),
        ],
        conditions: vec![Condition { name: "hours".into(), expression: "true".into() }],
    }
}

fn set(namespace: &str, relation: &str) -> Subject {
    Subject::Set(SubjectSet { namespace: namespace.into(), object: "x".into(), relation: relation.into() })
}

fn tuple(namespace: &str, relation: &str, subject: Subject) -> StoredTuple {
    RelationTuple { namespace: namespace.into(), object: "a".into(), relation: relation.into(), subject }.into()
}

fn refusal(rules: WriteRules, stored: &StoredTuple) -> Option<String> {
    rules.check(&model(), stored, Timestamp::EPOCH).err().map(|it| it.to_string())
}

#[test]
fn a_tuple_of_declared_types_is_written() {
    let id = Subject::Id("ada".into());
    for stored in [
        tuple("Doc", "viewer", set("User", "")),
        tuple("Doc", "viewer", set("Group", "member")),
        tuple("Doc", "owner", set("Old", "anything")),
        tuple("Doc", "viewer", id.clone()),
        tuple("Old", "anything", id),
        tuple("Old", "", set("Doc", "view")),
    ] {
        assert_eq!(refusal(STRICT, &stored), None, "{stored:?}");
    }
}

#[test]
fn an_undeclared_relation_or_type_is_refused_by_its_field_and_accepted_without_types() {
    let cases = [
        (
            tuple("Doc", "reader", set("User", "")),
            "relation: \"reader\" is not a relation of Doc, which has \"viewer\", \"editor\", \"owner\", \"banned\"",
        ),
        (
            tuple("Doc", "view", set("User", "")),
            "relation: \"view\" of Doc is a permission, which follows from relations and cannot be written",
        ),
        (
            tuple("Doc", "", set("User", "")),
            "relation: \"\" is not a relation of Doc, which has \"viewer\", \"editor\", \"owner\", \"banned\"",
        ),
        (
            tuple("Doc", "viewer", set("Old", "")),
            "subject_set.namespace: is not a type that \"viewer\" of Doc accepts: it accepts User, Group#member",
        ),
        (
            tuple("Doc", "viewer", set("Group", "")),
            "subject_set.relation: is not a type that \"viewer\" of Doc accepts: it accepts User, Group#member",
        ),
        // Such a subject set has no members, whatever accepts it.
        (
            tuple("Old", "anything", set("Doc", "reader")),
            "subject_set.relation: \"reader\" is not a relation or permission of Doc, which has \"viewer\", \"editor\", \"owner\", \"banned\", \"view\"",
        ),
        (
            tuple("Doc", "owner", set("Doc", "reader")),
            "subject_set.relation: \"reader\" is not a relation or permission of Doc, which has \"viewer\", \"editor\", \"owner\", \"banned\", \"view\"",
        ),
        // An id stands for a subject of a namespace, without a condition.
        (
            tuple("Doc", "banned", Subject::Id("ada".into())),
            "subject_id: a subject_id has no type, and \"banned\" accepts only Group#member",
        ),
        (
            tuple("Doc", "editor", Subject::Id("ada".into())),
            "subject_id: a subject_id has no type, and \"editor\" accepts only User with the condition \"hours\"",
        ),
    ];
    for (stored, message) in cases {
        assert_eq!(refusal(STRICT, &stored).as_deref(), Some(message));
        assert_eq!(refusal(LAX, &stored), None);
    }
}

#[test]
fn a_namespace_that_does_not_exist_is_always_refused() {
    for rules in [STRICT, LAX] {
        let unknown = rules.check(&model(), &tuple("Nope", "viewer", set("User", "")), Timestamp::EPOCH);
        let error = InvalidTuple::UnknownNamespace { field: "namespace".into(), namespace: "Nope".into() };
        assert_eq!(unknown, Err(error));
        let unknown = rules.check(&model(), &tuple("Doc", "viewer", set("Nope", "")), Timestamp::EPOCH).unwrap_err();
        assert_eq!(unknown.name_of_field(), "subject_set.namespace");
        // It would be stored as the subject id `x`.
        let empty = rules.check(&model(), &tuple("Doc", "viewer", set("", "")), Timestamp::EPOCH).unwrap_err();
        assert_eq!(empty.name_of_field(), "subject_set.namespace");
    }
}

#[test]
fn conditions_are_those_of_the_type() {
    let with = |relation: &str, subject, condition: Option<&str>| StoredTuple {
        condition: condition.map(|name| TupleCondition { name: name.into(), context: None }),
        ..tuple("Doc", relation, subject)
    };
    assert_eq!(refusal(STRICT, &with("editor", set("User", ""), Some("hours"))), None);
    let cases = [
        (
            with("editor", set("User", ""), None),
            "condition.name: is required for this type of subject: it must be \"hours\"",
        ),
        (with("viewer", set("User", ""), Some("hours")), "condition.name: this type of subject has no condition"),
        (
            with("viewer", Subject::Id("ada".into()), Some("hours")),
            "condition.name: a subject_id has no type, and so no condition",
        ),
        (
            with("editor", set("User", ""), Some("no")),
            "condition.name: there is no condition \"no\"; the model has \"hours\"",
        ),
    ];
    for (stored, message) in cases {
        assert_eq!(refusal(STRICT, &stored).as_deref(), Some(message));
    }
    // Without types a condition must still exist.
    assert!(refusal(LAX, &with("viewer", set("User", ""), Some("no"))).is_some());
    let mut large = with("editor", set("User", ""), Some("hours"));
    large.condition.as_mut().unwrap().context = Some(format!("{{\"a\":\"{}\"}}", "x".repeat(CONTEXT_BYTES)));
    assert_eq!(refusal(LAX, &large).as_deref(), Some("condition.context: must have at most 4096 bytes as JSON"));
    // Conditions could not read it, and a condition may hold without a context.
    let mut deep = with("editor", set("User", ""), Some("hours"));
    deep.condition.as_mut().unwrap().context = Some(format!("{{\"a\":{}1{}}}", "[".repeat(20), "]".repeat(20)));
    let refused = refusal(LAX, &deep).unwrap();
    assert!(refused.starts_with("condition.context: ") && refused.contains("16"), "{refused}");
}

#[test]
fn texts_are_bounded_and_an_expiry_is_in_the_future() {
    let mut long = tuple("Doc", "viewer", Subject::Id("x".repeat(OBJECT_BYTES + 1)));
    assert_eq!(refusal(LAX, &long).as_deref(), Some("subject_id: must have at most 1024 bytes"));
    long.tuple.subject = Subject::Id("a\0".into());
    assert_eq!(refusal(LAX, &long).as_deref(), Some("subject_id: must not contain the character U+0000"));
    long.tuple.object = "x".repeat(OBJECT_BYTES + 1);
    assert_eq!(refusal(LAX, &long).as_deref(), Some("object: must have at most 1024 bytes"));
    let ended = StoredTuple { expires_at: Some(Timestamp::EPOCH), ..tuple("Old", "r", set("User", "")) };
    assert_eq!(refusal(LAX, &ended).as_deref(), Some("expires_at: must be in the future"));
    let ends = StoredTuple { expires_at: Some(Timestamp::from_unix_seconds(1)), ..ended };
    assert_eq!(refusal(STRICT, &ends), None);
}

#[test]
fn strict_mode_refuses_subject_ids() {
    let strict_mode = WriteRules { refuses_subject_ids: true, ..LAX };
    let refused = refusal(strict_mode, &tuple("Old", "r", Subject::Id("ada".into()))).unwrap();
    assert!(refused.starts_with("subject_id: is refused in strict mode"), "{refused}");
    assert_eq!(refusal(strict_mode, &tuple("Old", "r", set("User", ""))), None);
}

#[test]
fn deletions_and_queries_need_existing_namespaces_only() {
    assert_eq!(check_names(&model(), &tuple("Doc", "whatever", set("Old", "x")).tuple), Ok(()));
    assert!(check_names(&model(), &tuple("Nope", "r", set("Old", "x")).tuple).is_err());
    assert_eq!(check_query(&model(), &TupleQuery::default()), Ok(()));
    let of = |namespace: &str| TupleQuery { namespace: Some(namespace.into()), ..TupleQuery::default() };
    assert_eq!(check_query(&model(), &of("Old")), Ok(()));
    assert_eq!(check_query(&model(), &of("Nope")).unwrap_err().name_of_field(), "namespace");
    let by_subject = TupleQuery { subject: Some(set("Nope", "")), ..TupleQuery::default() };
    assert_eq!(check_query(&model(), &by_subject).unwrap_err().name_of_field(), "subject_set.namespace");
    let nul = TupleQuery { object: Some("\0".into()), ..TupleQuery::default() };
    assert_eq!(check_query(&model(), &nul).unwrap_err().name_of_field(), "object");
}
