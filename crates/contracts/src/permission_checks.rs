//! Permission checks: whether a subject has a relation to an object, or a permission on it. `permissions` implements the trait;
//! any service may call it. In another process the read API serves it (`/relation-tuples/check/openapi`).

use async_trait::async_trait;
use base::Context;
use serde_json::{Map, Value};

use crate::Unavailable;

#[async_trait]
pub trait PermissionChecks: Send + Sync {
    /// Whether the subject has the relation or permission. It is never `false` because of a failure.
    async fn check(&self, cx: &Context, question: &PermissionQuestion<'_>) -> Result<bool, PermissionCheckError>;

    /// The name that the permission model does not declare, if the model is in this process. Without a relation only the
    /// namespace is looked up.
    fn undeclared(&self, _namespace: &str, _relation: Option<&str>) -> Option<Undeclared> {
        None
    }

    /// Whether a check is a call to another process.
    fn is_remote(&self) -> bool {
        false
    }
}

/// A relation tuple that may hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PermissionQuestion<'a> {
    pub namespace: &'a str,
    pub object: &'a str,
    /// A relation or a permission of the namespace.
    pub relation: &'a str,
    pub subject: PermissionSubject<'a>,
    /// The attributes of the request that conditions read as `context`.
    pub context: Option<&'a Map<String, Value>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PermissionSubject<'a> {
    /// A subject that no namespace describes.
    Id(&'a str),
    /// An object, if the relation is empty; otherwise all subjects that have this relation to it.
    Set { namespace: &'a str, object: &'a str, relation: &'a str },
}

/// A name of a question that the permission model does not declare, such as a misspelt one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undeclared {
    #[error("there is no namespace \"{0}\" in the permission model")]
    Namespace(String),
    #[error("the namespace \"{namespace}\" of the permission model has no relation or permission \"{relation}\"")]
    Relation { namespace: String, relation: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuestionPart {
    Namespace,
    Object,
    Relation,
    /// The id, or the object of the subject set.
    Subject,
    SubjectNamespace,
    SubjectRelation,
    Context,
}

impl QuestionPart {
    /// The part that is this member of a relation tuple.
    pub fn of_member(name: &str) -> Option<Self> {
        Some(match name {
            "namespace" => Self::Namespace,
            "object" => Self::Object,
            "relation" => Self::Relation,
            "subject_id" | "subject_set.object" => Self::Subject,
            "subject_set.namespace" => Self::SubjectNamespace,
            "subject_set.relation" => Self::SubjectRelation,
            _ => return None,
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum PermissionCheckError {
    /// Nobody can have a permission by this name, which is a mistake of the question.
    #[error("{0}")]
    Undeclared(Undeclared),
    /// As [`Undeclared`](Self::Undeclared), for the subject set that the question is about.
    #[error("the subject: {0}")]
    UndeclaredSubject(Undeclared),
    /// A part of the question cannot be asked about, for example because it is too long.
    #[error("{reason}")]
    Invalid { part: QuestionPart, reason: String },
    /// The question has no answer: an attribute is missing, or a limit was reached.
    #[error("the permission cannot be decided: {0}")]
    Undecided(String),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
