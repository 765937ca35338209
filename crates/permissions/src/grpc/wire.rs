//! Relation tuples and queries as messages.

use super::messages::keto;
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::relation_tuple::{RelationTuple, Subject, SubjectSet};
use crate::domain::tuple_query::TupleQuery;

/// A present tuple with a subject.
pub(super) fn tuple(message: Option<keto::RelationTuple>) -> Result<RelationTuple, MissingOr> {
    Ok(with_subject(message.ok_or(MissingOr::Missing)?)?)
}

/// The tuples of a batch, of which one that is refused does not affect the others.
pub(super) fn tuples(messages: Vec<keto::RelationTuple>) -> Vec<Result<RelationTuple, InvalidTuple>> {
    messages.into_iter().map(with_subject).collect()
}

fn with_subject(message: keto::RelationTuple) -> Result<RelationTuple, InvalidTuple> {
    let keto::RelationTuple { namespace, object, relation, subject } = message;
    let subject = self::subject(subject)?.ok_or_else(|| InvalidTuple::field("subject", NO_SUBJECT))?;
    Ok(RelationTuple { namespace, object, relation, subject })
}

/// Why there is no tuple.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum MissingOr {
    Missing,
    Invalid(InvalidTuple),
}

impl From<InvalidTuple> for MissingOr {
    fn from(invalid: InvalidTuple) -> Self {
        Self::Invalid(invalid)
    }
}

impl MissingOr {
    /// The error for a tuple at `place` of the request.
    pub(super) fn at(self, place: &str) -> InvalidTuple {
        match self {
            Self::Missing => InvalidTuple::field(place, "is required"),
            Self::Invalid(invalid) => invalid.within(place),
        }
    }
}

pub(super) const NO_SUBJECT: &str = "id or set is required";

/// An absent subject, or one that is an id or a set.
pub(super) fn subject(message: Option<keto::Subject>) -> Result<Option<Subject>, InvalidTuple> {
    use keto::subject::Ref;
    let Some(keto::Subject { r#ref }) = message else { return Ok(None) };
    match r#ref {
        Some(Ref::Id(id)) => Ok(Some(Subject::Id(id))),
        Some(Ref::Set(keto::SubjectSet { namespace, object, relation })) => {
            Ok(Some(Subject::Set(SubjectSet { namespace, object, relation })))
        }
        None => Err(InvalidTuple::field("subject", NO_SUBJECT)),
    }
}

pub(super) fn query(message: keto::RelationQuery) -> Result<TupleQuery, InvalidTuple> {
    let keto::RelationQuery { namespace, object, relation, subject } = message;
    Ok(TupleQuery { namespace, object, relation, subject: self::subject(subject)? })
}

/// The query of the deprecated messages, in which an empty text matches everything.
pub(super) fn deprecated_query(
    [namespace, object, relation]: [String; 3],
    subject: Option<keto::Subject>,
) -> Result<TupleQuery, InvalidTuple> {
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    Ok(TupleQuery {
        namespace: given(namespace),
        object: given(object),
        relation: given(relation),
        subject: self::subject(subject)?,
    })
}

pub(super) fn tuple_message(tuple: RelationTuple) -> keto::RelationTuple {
    let RelationTuple { namespace, object, relation, subject } = tuple;
    keto::RelationTuple { namespace, object, relation, subject: Some(subject_message(subject)) }
}

pub(super) fn subject_message(subject: Subject) -> keto::Subject {
    use keto::subject::Ref;
    let of = match subject {
        Subject::Id(id) => Ref::Id(id),
        Subject::Set(SubjectSet { namespace, object, relation }) => {
            Ref::Set(keto::SubjectSet { namespace, object, relation })
        }
    };
    keto::Subject { r#ref: Some(of) }
}
