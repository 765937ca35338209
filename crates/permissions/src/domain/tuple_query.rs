//! Which relation tuples to list or to delete: those with all the given parts, or all of them.

use super::relation_tuple::{RelationTuple, Subject};

/// An absent part matches every value; a part that is `""` matches only the empty text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TupleQuery {
    pub namespace: Option<String>,
    pub object: Option<String>,
    pub relation: Option<String>,
    pub subject: Option<Subject>,
}

impl TupleQuery {
    pub fn matches(&self, tuple: &RelationTuple) -> bool {
        let Self { namespace, object, relation, subject } = self;
        namespace.as_ref().is_none_or(|it| *it == tuple.namespace)
            && object.as_ref().is_none_or(|it| *it == tuple.object)
            && relation.as_ref().is_none_or(|it| *it == tuple.relation)
            && subject.as_ref().is_none_or(|it| *it == tuple.subject)
    }

    /// The namespaces that it names, with the names of the fields.
    pub fn namespaces(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let of_subject = match &self.subject {
            Some(Subject::Set(set)) => Some(("subject_set.namespace", set.namespace.as_str())),
            Some(Subject::Id(_)) | None => None,
        };
        self.namespace.as_deref().map(|namespace| ("namespace", namespace)).into_iter().chain(of_subject)
    }
}
