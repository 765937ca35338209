//! Relation tuples as JSON.
//!
//! An unknown member is refused: a misspelt `expires_at` or `condition` would grant for ever, and to everyone.

use base::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::relation_tuple::{RelationTuple, StoredTuple, Subject, SubjectSet, TupleCondition};

/// A relation tuple. Members that it does not have are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(super) struct RelationTupleDocument {
    /// Files for Keto name their JSON schema. It says nothing about the tuple.
    #[serde(rename = "$schema", default, skip_serializing)]
    schema: IgnoredAny,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    object: String,
    #[serde(default)]
    relation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_set: Option<SubjectSetDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<ConditionDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

/// The body of a check: a tuple, and the attributes of the request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(super) struct CheckDocument {
    #[serde(rename = "$schema", default)]
    schema: IgnoredAny,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    object: String,
    #[serde(default)]
    relation: String,
    subject_id: Option<String>,
    subject_set: Option<SubjectSetDocument>,
    condition: Option<ConditionDocument>,
    expires_at: Option<Timestamp>,
    context: Option<Value>,
}

impl CheckDocument {
    pub(super) fn into_parts(self) -> (RelationTupleDocument, Option<Value>) {
        let Self { schema, namespace, object, relation, subject_id, subject_set, condition, expires_at, context } =
            self;
        let tuple = RelationTupleDocument {
            schema,
            namespace,
            object,
            relation,
            subject_id,
            subject_set,
            condition,
            expires_at,
        };
        (tuple, context)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(super) struct SubjectSetDocument {
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    object: String,
    #[serde(default)]
    relation: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
struct ConditionDocument {
    name: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    context: Map<String, Value>,
}

impl RelationTupleDocument {
    /// The tuple with its condition and expiry.
    pub(super) fn stored(self) -> Result<StoredTuple, InvalidTuple> {
        let Self { schema: _, namespace, object, relation, subject_id, subject_set, condition, expires_at } = self;
        let subject = subject(subject_id, subject_set)?;
        let condition = condition.map(|ConditionDocument { name, context }| TupleCondition {
            name,
            context: (!context.is_empty()).then(|| Value::Object(context).to_string()),
        });
        Ok(StoredTuple { tuple: RelationTuple { namespace, object, relation, subject }, condition, expires_at })
    }
}

/// The subject that two members name.
pub(super) fn subject(id: Option<String>, set: Option<SubjectSetDocument>) -> Result<Subject, InvalidTuple> {
    match (id, set) {
        (Some(id), None) => Ok(Subject::Id(id)),
        (None, Some(SubjectSetDocument { namespace, object, relation })) => {
            Ok(Subject::Set(SubjectSet { namespace, object, relation }))
        }
        (None, None) => Err(InvalidTuple::field("subject_id", "subject_id or subject_set is required")),
        // Which one is meant is not known.
        (Some(_), Some(_)) => {
            Err(InvalidTuple::field("subject_id", "exactly one of subject_set or subject_id has to be provided"))
        }
    }
}

/// A subject as in a relation tuple.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SubjectDocument {
    SubjectId(String),
    SubjectSet(SubjectSetDocument),
}

impl From<SubjectSet> for SubjectSetDocument {
    fn from(SubjectSet { namespace, object, relation }: SubjectSet) -> Self {
        Self { namespace, object, relation }
    }
}

impl From<Subject> for SubjectDocument {
    fn from(subject: Subject) -> Self {
        match subject {
            Subject::Id(id) => Self::SubjectId(id),
            Subject::Set(set) => Self::SubjectSet(set.into()),
        }
    }
}

/// The tuple of a node: only its subject has a value.
#[derive(Debug, Serialize)]
pub(super) struct NodeTuple<'a> {
    namespace: &'static str,
    object: &'static str,
    relation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_set: Option<SubjectSetDocument>,
}

impl<'a> NodeTuple<'a> {
    pub(super) fn of(subject: Option<&'a Subject>) -> Self {
        let (subject_id, subject_set) = match subject {
            None => (None, None),
            Some(Subject::Id(id)) => (Some(id.as_str()), None),
            Some(Subject::Set(set)) => (None, Some(set.clone().into())),
        };
        Self { namespace: "", object: "", relation: "", subject_id, subject_set }
    }
}

impl From<StoredTuple> for RelationTupleDocument {
    fn from(stored: StoredTuple) -> Self {
        let StoredTuple { tuple, condition, expires_at } = stored;
        let (subject_id, subject_set) = match tuple.subject {
            Subject::Id(id) => (Some(id), None),
            Subject::Set(set) => (None, Some(set.into())),
        };
        Self {
            schema: IgnoredAny,
            namespace: tuple.namespace,
            object: tuple.object,
            relation: tuple.relation,
            subject_id,
            subject_set,
            condition: condition.map(|TupleCondition { name, context }| ConditionDocument {
                name,
                // What is stored is a JSON object.
                context: context.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
            }),
            expires_at,
        }
    }
}
