//! The errors of operations as answers.

use axum::http::StatusCode;
use base::shares::NoShare;
use web::RestError;

use crate::components::graph::Absence;
use crate::components::models::Unloaded;
use crate::domain::evaluation::Failure;
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

/// How soon a client may ask again when there is no permission model.
const RETRY_AFTER_SECONDS: u64 = 5;
const UNANSWERED: &str = "The check could not be completed";

impl From<Unloaded> for RestError {
    fn from(unloaded: Unloaded) -> Self {
        let reason = format!("{unloaded}; /health/ready says why");
        Self::unavailable(RETRY_AFTER_SECONDS).with_reason(reason)
    }
}

impl From<InvalidTuple> for RestError {
    fn from(invalid: InvalidTuple) -> Self {
        let field = invalid.name_of_field().to_owned();
        let error = match invalid {
            InvalidTuple::UnknownNamespace { .. } => Self::not_found(invalid.to_string()),
            InvalidTuple::Field { .. } => Self::bad_request(invalid.to_string()),
        };
        error.with_detail("field", field)
    }
}

impl From<ListRelationTuplesError> for RestError {
    fn from(error: ListRelationTuplesError) -> Self {
        match error {
            ListRelationTuplesError::Unloaded(unloaded) => unloaded.into(),
            ListRelationTuplesError::Invalid(invalid) => invalid.into(),
            ListRelationTuplesError::Database(error) => error.into(),
        }
    }
}

impl From<DeleteRelationTuplesError> for RestError {
    fn from(error: DeleteRelationTuplesError) -> Self {
        match error {
            DeleteRelationTuplesError::Unloaded(unloaded) => unloaded.into(),
            DeleteRelationTuplesError::Invalid(invalid) => invalid.into(),
            DeleteRelationTuplesError::Database(error) => error.into(),
        }
    }
}

impl From<OpenSnaptokenError> for RestError {
    fn from(error: OpenSnaptokenError) -> Self {
        match error {
            OpenSnaptokenError::Invalid(invalid) => {
                Self::bad_request(format!("snaptoken: {invalid}")).with_detail("field", "snaptoken")
            }
            OpenSnaptokenError::Database(error) => error.into(),
        }
    }
}

impl From<EvaluateError> for RestError {
    fn from(error: EvaluateError) -> Self {
        match error {
            EvaluateError::Snapshot(error) => error.into(),
            EvaluateError::Database(error) => error.into(),
            EvaluateError::TooManyTuples => {
                let error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, UNANSWERED).with_reason(error.to_string());
                error.with_detail("limitation", Failure::StepsExhausted.name())
            }
            EvaluateError::NotInMemory(absence) => absence.into(),
            EvaluateError::TooManyNames(_) | EvaluateError::NamesAreFull(_) | EvaluateError::Endless => {
                tracing::error!(error = &error as &dyn std::error::Error, "a question could not be evaluated");
                Self::internal()
            }
        }
    }
}

impl From<Absence> for RestError {
    fn from(absence: Absence) -> Self {
        let error = match absence {
            Absence::NotCurrent => Self::unavailable(RETRY_AFTER_SECONDS),
            // Asking again soon has the same answer.
            Absence::Disabled | Absence::DoesNotFit(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "This node does not answer such questions")
            }
        };
        error.with_reason(absence.to_string())
    }
}

impl From<CheckError> for RestError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Unloaded(unloaded) => unloaded.into(),
            CheckError::Invalid(invalid) => invalid.into(),
            CheckError::UndeclaredRelation(_) => Self::bad_request(error.to_string()).with_detail("field", "relation"),
            // No field of the request is wrong.
            CheckError::UndeclaredOnTheWay { .. } => Self::bad_request(error.to_string()),
            CheckError::Unanswered { failure, reason } => {
                let error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, UNANSWERED);
                error.with_reason(reason).with_detail("limitation", failure.name())
            }
            CheckError::Evaluate(error) => error.into(),
        }
    }
}

impl From<InvalidQuestion> for RestError {
    fn from(error: InvalidQuestion) -> Self {
        CheckError::from(error).into()
    }
}

impl From<ListError> for RestError {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Unloaded(unloaded) => unloaded.into(),
            ListError::Question(invalid) => invalid.into(),
            ListError::Evaluate(error) => error.into(),
        }
    }
}

impl From<BatchCheckError> for RestError {
    fn from(error: BatchCheckError) -> Self {
        match error {
            BatchCheckError::Unloaded(unloaded) => unloaded.into(),
            BatchCheckError::TooLarge(_) => {
                Self::bad_request(format!("tuples: {error}")).with_detail("field", "tuples")
            }
            BatchCheckError::Evaluate(error) => error.into(),
        }
    }
}

impl From<ExpandError> for RestError {
    fn from(error: ExpandError) -> Self {
        match error {
            ExpandError::Unloaded(unloaded) => unloaded.into(),
            ExpandError::Invalid(invalid) => invalid.into(),
            ExpandError::UndeclaredRelation(_) => Self::not_found(error.to_string()).with_detail("field", "relation"),
            ExpandError::Evaluate(error) => error.into(),
        }
    }
}

impl From<RequireSnapshotError> for RestError {
    fn from(error: RequireSnapshotError) -> Self {
        match error {
            RequireSnapshotError::Ahead => {
                Self::conflict(format!("snaptoken: {error}")).with_detail("field", "snaptoken")
            }
            RequireSnapshotError::Database(error) => error.into(),
        }
    }
}

impl From<WatchError> for RestError {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::Unloaded(unloaded) => unloaded.into(),
            WatchError::Invalid(invalid) => invalid.into(),
            WatchError::Snapshot(error) => error.into(),
            WatchError::TooOld => {
                let gone = Self::new(StatusCode::GONE, "The changes are not available any more");
                gone.with_reason(format!("snaptoken: {error}")).with_detail("field", "snaptoken")
            }
            WatchError::TooMany(NoShare::OfAll(_)) => {
                Self::unavailable(RETRY_AFTER_SECONDS).with_reason(error.to_string())
            }
            WatchError::TooMany(NoShare::OfClient(_)) => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "This client watches too often").with_reason(error.to_string())
            }
            WatchError::Database(error) => error.into(),
        }
    }
}

/// `place` is that of the refused change in the request; `None` when the change is the whole request.
pub(super) fn transact_error(error: TransactError, place: impl FnOnce(usize) -> Option<String>) -> RestError {
    match error {
        TransactError::Unloaded(unloaded) => unloaded.into(),
        TransactError::Invalid { index, invalid } => match place(index) {
            Some(place) => invalid.within(&place).into(),
            None => invalid.into(),
        },
        TransactError::Database(error) => error.into(),
    }
}
