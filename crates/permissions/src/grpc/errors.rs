//! The errors of operations as statuses of calls.

use web::rpc::{Code, Status};

use crate::components::models::Unloaded;
use crate::domain::invalid_tuple::InvalidTuple;
use crate::operations::EvaluateError;
use crate::operations::batch_check::BatchCheckError;
use crate::operations::check::{CheckError, InvalidQuestion};
use crate::operations::delete_relation_tuples::DeleteRelationTuplesError;
use crate::operations::expand::ExpandError;
use crate::operations::list_relation_tuples::ListRelationTuplesError;
use crate::operations::open_snaptoken::OpenSnaptokenError;
use crate::operations::require_snapshot::RequireSnapshotError;
use crate::operations::reverse::ListError;
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

impl From<OpenSnaptokenError> for Status {
    fn from(error: OpenSnaptokenError) -> Self {
        match error {
            OpenSnaptokenError::Invalid(invalid) => {
                Self::invalid_argument(format!("snaptoken: {invalid}")).with_field("snaptoken")
            }
            OpenSnaptokenError::Database(error) => error.into(),
        }
    }
}

impl From<RequireSnapshotError> for Status {
    fn from(error: RequireSnapshotError) -> Self {
        match error {
            RequireSnapshotError::Ahead => {
                Self::new(Code::FailedPrecondition, format!("snaptoken: {error}")).with_field("snaptoken")
            }
            RequireSnapshotError::Database(error) => error.into(),
        }
    }
}

impl From<EvaluateError> for Status {
    fn from(error: EvaluateError) -> Self {
        match error {
            EvaluateError::Snapshot(error) => error.into(),
            EvaluateError::Database(error) => error.into(),
            EvaluateError::TooManyTuples => Self::new(Code::FailedPrecondition, error.to_string()).with_reason(),
            EvaluateError::NotInMemory => Self::new(Code::Unavailable, error.to_string()).with_reason(),
            EvaluateError::TooManyNames(_) | EvaluateError::NamesAreFull(_) | EvaluateError::Endless => {
                tracing::error!(error = &error as &dyn std::error::Error, "a question could not be evaluated");
                Self::internal()
            }
        }
    }
}

impl From<CheckError> for Status {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Unloaded(unloaded) => unloaded.into(),
            CheckError::Invalid(invalid) => invalid.into(),
            CheckError::UndeclaredRelation(_) => Self::invalid_argument(error.to_string()).with_field("tuple.relation"),
            CheckError::Unanswered { reason, .. } => Self::new(Code::FailedPrecondition, reason).with_reason(),
            CheckError::Evaluate(error) => error.into(),
        }
    }
}

impl From<BatchCheckError> for Status {
    fn from(error: BatchCheckError) -> Self {
        match error {
            BatchCheckError::Unloaded(unloaded) => unloaded.into(),
            BatchCheckError::TooLarge(_) => Self::invalid_argument(format!("tuples: {error}")).with_field("tuples"),
            BatchCheckError::Evaluate(error) => error.into(),
        }
    }
}

impl From<ListError> for Status {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Unloaded(unloaded) => unloaded.into(),
            ListError::Question(InvalidQuestion::Tuple(invalid)) => invalid.into(),
            ListError::Question(error @ InvalidQuestion::UndeclaredRelation(_)) => {
                Self::invalid_argument(format!("relation: {error}")).with_field("relation")
            }
            ListError::Evaluate(error) => error.into(),
        }
    }
}

impl From<ExpandError> for Status {
    fn from(error: ExpandError) -> Self {
        match error {
            ExpandError::Unloaded(unloaded) => unloaded.into(),
            ExpandError::Invalid(invalid) => invalid.into(),
            ExpandError::UndeclaredRelation(_) => {
                Self::new(Code::NotFound, error.to_string()).with_field("subject.set.relation")
            }
            ExpandError::Evaluate(error) => error.into(),
        }
    }
}

impl From<WatchError> for Status {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::Unloaded(unloaded) => unloaded.into(),
            WatchError::Invalid(invalid) => invalid.within("query").into(),
            WatchError::Snapshot(error) => error.into(),
            WatchError::TooOld => Self::new(Code::OutOfRange, format!("snaptoken: {error}")).with_field("snaptoken"),
            WatchError::TooMany => Self::new(Code::ResourceExhausted, error.to_string()).with_reason(),
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
