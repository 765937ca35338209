//! The reverse questions: which objects, subjects or relations a check would allow.

use super::invalid_tuple::InvalidTuple;
use super::relation_tuple::{RelationTuple, Subject, SubjectSet};

/// Which part of a relation tuple is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    Objects,
    Subjects,
    /// Relations and permissions.
    Relations,
}

/// With which names in the part that is sought is a check of the tuple allowed?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReverseQuestion {
    pub sought: Sought,
    /// The part that is sought has no name. A subject that is sought is an id, or a subject set of a namespace with a relation.
    pub tuple: RelationTuple,
}

impl ReverseQuestion {
    /// The objects that a subject has a relation to, or a permission on.
    pub fn objects(namespace: String, relation: String, subject: Subject) -> Self {
        let tuple = RelationTuple { namespace, object: String::new(), relation, subject };
        Self { sought: Sought::Objects, tuple }
    }

    /// The subjects that have a relation to an object, or a permission on it: subject sets, if a namespace is named, and ids
    /// otherwise.
    pub fn subjects(
        (namespace, object, relation): (String, String, String),
        subject_namespace: Option<String>,
        subject_relation: Option<String>,
    ) -> Result<Self, InvalidTuple> {
        let subject = match (subject_namespace, subject_relation) {
            (Some(namespace), relation) => {
                Subject::Set(SubjectSet { namespace, object: String::new(), relation: relation.unwrap_or_default() })
            }
            (None, None) => Subject::Id(String::new()),
            (None, Some(_)) => {
                return Err(InvalidTuple::field("subject_namespace", "is required with subject_relation"));
            }
        };
        Ok(Self { sought: Sought::Subjects, tuple: RelationTuple { namespace, object, relation, subject } })
    }

    /// The relations that a subject has to an object, and the permissions on it.
    pub fn relations(namespace: String, object: String, subject: Subject) -> Self {
        let tuple = RelationTuple { namespace, object, relation: String::new(), subject };
        Self { sought: Sought::Relations, tuple }
    }

    /// The subject that a name among the results stands for.
    pub fn subject_of(&self, name: String) -> Subject {
        match &self.tuple.subject {
            Subject::Id(_) => Subject::Id(name),
            Subject::Set(SubjectSet { namespace, relation, .. }) => {
                Subject::Set(SubjectSet { namespace: namespace.clone(), object: name, relation: relation.clone() })
            }
        }
    }
}
