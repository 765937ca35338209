//! The errors of operations as statuses of calls.

use web::rpc::{Code, Status};

use crate::components::graph::Absence;
use crate::components::models::Unloaded;
use crate::domain::invalid_tuple::InvalidTuple;
use crate::operations::EvaluateError;
use crate::operations::batch_check::BatchCheckError;
use crate::operations::check::{CheckError, InvalidQuestion};
use crate::operations::delete_relation_tuples::DeleteRelationTuplesError;
use crate::operations::expand::ExpandError;
use crate::operations::list_names::ListError;
use crate::operations::list_relation_tuples::ListRelationTuplesError;
use crate::operations::open_snaptoken::OpenSnaptokenError;
use crate::operations::require_snapshot::RequireSnapshotError;
use crate::operations::transact_relation_tuples::TransactError;
use crate::operations::watch_relation_tuples::WatchError;

impl From<Unloaded> for Status {
    fn from(unloaded: Unloaded) -> Self {
        Self::new(Code::Unavailable, format!("{unloaded}; /health/ready says why")).with_reason()
    }
}

impl From<InvalidTuple> for Status {
    fn from(invalid: InvalidTuple) -> Self {
        let invalid = named(invalid);
        let code = match invalid {
            InvalidTuple::UnknownNamespace { .. } => Code::NotFound,
            InvalidTuple::Field { .. } => Code::InvalidArgument,
        };
        Self::new(code, invalid.to_string()).with_field(invalid.name_of_field())
    }
}

/// The error with the names of messages: operations have those of REST.
fn named(invalid: InvalidTuple) -> InvalidTuple {
    let name = |field: String| field.replace("subject_set.", "subject.set.").replace("subject_id", "subject.id");
    match invalid {
        InvalidTuple::UnknownNamespace { field, namespace } => {
            InvalidTuple::UnknownNamespace { field: name(field), namespace }
        }
        InvalidTuple::Field { field, problem } => InvalidTuple::Field { field: name(field), problem },
    }
}

impl From<ListRelationTuplesError> for Status {
    fn from(error: ListRelationTuplesError) -> Self {
        match error {
            ListRelationTuplesError::Unloaded(unloaded) => unloaded.into(),
            ListRelationTuplesError::Invalid(invalid) => invalid.into(),
            ListRelationTuplesError::Database(error) => error.into(),
        }
    }
}

impl From<DeleteRelationTuplesError> for Status {
    fn from(error: DeleteRelationTuplesError) -> Self {
        match error {
            DeleteRelationTuplesError::Unloaded(unloaded) => unloaded.into(),
            DeleteRelationTuplesError::Invalid(invalid) => invalid.into(),
            DeleteRelationTuplesError::Database(error) => error.into(),
        }
    }
}

/// The field of a request that has the token of a snapshot.
#[derive(Clone, Copy, Debug)]
pub(super) enum TokenField {
    Snaptoken,
    AtLeastAsFresh,
}

impl TokenField {
    const fn name(self) -> &'static str {
        match self {
            Self::Snaptoken => "snaptoken",
            Self::AtLeastAsFresh => "consistency.at_least_as_fresh",
        }
    }

    /// The status of a refused token.
    fn refused(self, code: Code, problem: impl std::fmt::Display) -> Status {
        Status::new(code, format!("{}: {problem}", self.name())).with_field(self.name())
    }
}

/// The errors of operations that may be about the token of a snapshot.
pub(super) trait AboutToken {
    /// The status for a request that has the token in this field.
    fn with_token_in(self, field: TokenField) -> Status;
}

impl AboutToken for OpenSnaptokenError {
    fn with_token_in(self, field: TokenField) -> Status {
        match self {
            Self::Invalid(invalid) => field.refused(Code::InvalidArgument, invalid),
            Self::Database(error) => error.into(),
        }
    }
}

impl AboutToken for RequireSnapshotError {
    fn with_token_in(self, field: TokenField) -> Status {
        match self {
            Self::Ahead => field.refused(Code::FailedPrecondition, self),
            Self::Database(error) => error.into(),
        }
    }
}

impl AboutToken for EvaluateError {
    fn with_token_in(self, field: TokenField) -> Status {
        match self {
            Self::Snapshot(error) => error.with_token_in(field),
            Self::Database(error) => error.into(),
            Self::TooManyTuples => Status::new(Code::FailedPrecondition, self.to_string()).with_reason(),
            Self::NotInMemory(absence) => absence.into(),
            Self::TooManyNames(_) | Self::NamesAreFull(_) | Self::Endless => {
                tracing::error!(error = &self as &dyn std::error::Error, "a question could not be evaluated");
                Status::internal()
            }
        }
    }
}

impl From<Absence> for Status {
    fn from(absence: Absence) -> Self {
        let code = match absence {
            Absence::NotCurrent => Code::Unavailable,
            // Clients call again after the other status, and this lasts.
            Absence::Disabled | Absence::DoesNotFit(_) => Code::Unimplemented,
        };
        Self::new(code, absence.to_string()).with_reason()
    }
}

impl AboutToken for CheckError {
    fn with_token_in(self, field: TokenField) -> Status {
        match self {
            Self::Unloaded(unloaded) => unloaded.into(),
            Self::Invalid(invalid) => invalid.within("tuple").into(),
            Self::UndeclaredRelation(_) => Status::invalid_argument(self.to_string()).with_field("tuple.relation"),
            // No field of the request is wrong.
            Self::UndeclaredOnTheWay { .. } => Status::invalid_argument(self.to_string()).with_reason(),
            Self::Unanswered { reason, .. } => Status::new(Code::FailedPrecondition, reason).with_reason(),
            Self::Evaluate(error) => error.with_token_in(field),
        }
    }
}

impl AboutToken for BatchCheckError {
    fn with_token_in(self, field: TokenField) -> Status {
        match self {
            Self::Unloaded(unloaded) => unloaded.into(),
            Self::TooLarge(_) => Status::invalid_argument(format!("tuples: {self}")).with_field("tuples"),
            Self::Evaluate(error) => error.with_token_in(field),
        }
    }
}

impl AboutToken for ListError {
    fn with_token_in(self, field: TokenField) -> Status {
        match self {
            Self::Unloaded(unloaded) => unloaded.into(),
            Self::Question(InvalidQuestion::Tuple(invalid)) => invalid.into(),
            Self::Question(error @ InvalidQuestion::UndeclaredRelation(_)) => {
                Status::invalid_argument(format!("relation: {error}")).with_field("relation")
            }
            Self::Evaluate(error) => error.with_token_in(field),
        }
    }
}

impl AboutToken for ExpandError {
    fn with_token_in(self, field: TokenField) -> Status {
        match self {
            Self::Unloaded(unloaded) => unloaded.into(),
            Self::Invalid(invalid) => invalid.into(),
            Self::UndeclaredRelation(_) => {
                Status::new(Code::NotFound, self.to_string()).with_field("subject.set.relation")
            }
            Self::Evaluate(error) => error.with_token_in(field),
        }
    }
}

/// The messages of Keto, and ours for relation tuples, have the token in `snaptoken`.
macro_rules! with_snaptoken {
    ($($error:ty),*) => {
        $(impl From<$error> for Status {
            fn from(error: $error) -> Self {
                error.with_token_in(TokenField::Snaptoken)
            }
        })*
    };
}

with_snaptoken!(OpenSnaptokenError, RequireSnapshotError, CheckError, BatchCheckError, ExpandError);

impl From<WatchError> for Status {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::Unloaded(unloaded) => unloaded.into(),
            WatchError::Invalid(invalid) => invalid.within("query").into(),
            WatchError::Snapshot(error) => error.into(),
            WatchError::TooOld => Self::new(Code::OutOfRange, format!("snaptoken: {error}")).with_field("snaptoken"),
            WatchError::TooMany(_) => Self::new(Code::ResourceExhausted, error.to_string()).with_reason(),
            WatchError::Database(error) => error.into(),
        }
    }
}

/// `place` is that of the refused field of a change in the request.
pub(super) fn transact_error(error: TransactError, place: impl FnOnce(usize, &str) -> String) -> Status {
    match error {
        TransactError::Unloaded(unloaded) => unloaded.into(),
        TransactError::Invalid { index, invalid } => {
            let place = place(index, invalid.name_of_field());
            invalid.within(&place).into()
        }
        TransactError::Database(error) => error.into(),
    }
}
