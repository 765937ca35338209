//! A relation tuple: a subject has a relation to an object.

use base::Timestamp;

/// `namespace:object#relation@subject`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelationTuple {
    pub namespace: String,
    pub object: String,
    /// May be empty.
    pub relation: String,
    pub subject: Subject,
}

/// Who has a relation. The subject id `alice` and the object `User:alice` are different subjects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A subject that no namespace describes.
    Id(String),
    Set(SubjectSet),
}

/// All subjects that have a relation to an object. If the relation is empty: the object itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectSet {
    pub namespace: String,
    pub object: String,
    pub relation: String,
}

/// A relation tuple and when it counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoredTuple {
    pub tuple: RelationTuple,
    /// It counts only while this condition holds.
    pub condition: Option<TupleCondition>,
    /// From this time on it does not exist.
    pub expires_at: Option<Timestamp>,
}

/// A condition of the model, and the attributes that the tuple fixes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TupleCondition {
    pub name: String,
    /// A JSON object.
    pub context: Option<String>,
}

impl From<RelationTuple> for StoredTuple {
    fn from(tuple: RelationTuple) -> Self {
        Self { tuple, condition: None, expires_at: None }
    }
}
