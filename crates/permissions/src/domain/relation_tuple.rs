//! A relation tuple: a subject has a relation to an object.

/// `namespace:object#relation@subject`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RelationTuple {
    pub namespace: String,
    pub object: String,
    /// May be empty.
    pub relation: String,
    pub subject: Subject,
}

/// Who has a relation. The subject id `alice` and the object `User:alice` are different subjects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A subject that no namespace describes.
    Id(String),
    Set(SubjectSet),
}

/// All subjects that have a relation to an object. If the relation is empty: the object itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SubjectSet {
    pub namespace: String,
    pub object: String,
    pub relation: String,
}
