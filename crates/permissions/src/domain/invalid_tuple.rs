//! Why a relation tuple or a query for relation tuples is refused. An error names the field.

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTuple {
    #[error("{field}: there is no namespace \"{namespace}\" in the permission model")]
    UnknownNamespace { field: String, namespace: String },
    #[error("{field}: {problem}")]
    Field { field: String, problem: String },
}

impl InvalidTuple {
    pub fn field(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Field { field: field.into(), problem: problem.into() }
    }

    /// The same error for a tuple that is at `place` of the request.
    #[must_use]
    pub fn within(self, place: &str) -> Self {
        let below = |field: String| format!("{place}.{field}");
        match self {
            Self::UnknownNamespace { field, namespace } => Self::UnknownNamespace { field: below(field), namespace },
            Self::Field { field, problem } => Self::Field { field: below(field), problem },
        }
    }

    pub fn name_of_field(&self) -> &str {
        match self {
            Self::UnknownNamespace { field, .. } | Self::Field { field, .. } => field,
        }
    }
}
