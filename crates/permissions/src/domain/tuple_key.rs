//! The identity of a relation tuple: six texts, as its primary key has them.
//!
//! Invariants: a subject id has the subject namespace `""`, which no subject set has; the order of keys is that of their
//! bytes, in the program and in both databases.

use serde::{Deserialize, Serialize};

use super::relation_tuple::{RelationTuple, Subject, SubjectSet};

/// Namespace, object, relation; namespace, object and relation of the subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TupleKey(pub String, pub String, pub String, pub String, pub String, pub String);

impl TupleKey {
    pub fn text_bytes(&self) -> usize {
        [&self.0, &self.1, &self.2, &self.3, &self.4, &self.5].into_iter().map(String::len).sum()
    }
}

impl From<&RelationTuple> for TupleKey {
    fn from(tuple: &RelationTuple) -> Self {
        let (namespace, object, relation) = subject_columns(&tuple.subject);
        Self(
            tuple.namespace.clone(),
            tuple.object.clone(),
            tuple.relation.clone(),
            namespace.to_owned(),
            object.to_owned(),
            relation.to_owned(),
        )
    }
}

impl From<TupleKey> for RelationTuple {
    fn from(key: TupleKey) -> Self {
        let TupleKey(namespace, object, relation, subject_namespace, subject_object, subject_relation) = key;
        let subject = subject_of(subject_namespace, subject_object, subject_relation);
        Self { namespace, object, relation, subject }
    }
}

/// The subject of these columns.
pub fn subject_of(namespace: String, object: String, relation: String) -> Subject {
    if namespace.is_empty() { Subject::Id(object) } else { Subject::Set(SubjectSet { namespace, object, relation }) }
}

/// The columns of a subject: namespace, object, relation.
pub fn subject_columns(subject: &Subject) -> (&str, &str, &str) {
    match subject {
        Subject::Id(id) => ("", id, ""),
        Subject::Set(SubjectSet { namespace, object, relation }) => (namespace, object, relation),
    }
}
