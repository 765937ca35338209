//! The questions, answers and errors of the evaluations that several requests wait for. The service value holds these
//! evaluations, and operations are methods on it, so nothing here names an operation.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use base::TenantId;

use crate::components::graph::Absence;
use crate::components::models::{LoadedModel, Unloaded};
use crate::components::shared_evaluations::SharedEvaluations;
use crate::domain::access::EvaluationsSemantic;
use crate::domain::evaluation::Failure;
use crate::domain::explanation_text::Line;
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::names::NamesAreFull;
use crate::domain::relation_tuple::RelationTuple;
use crate::domain::snapshot::Snapshot;
use crate::domain::symbols::TooManyNames;

/// The most tuples that are read for one request. A single check looks at fewer, but reads for alternatives that it may not need.
pub(super) const MOST_TUPLES: u32 = 200_000;

#[derive(Clone, Debug, thiserror::Error)]
pub enum RequireSnapshotError {
    /// The tag of the token is valid, so it was made with the key of this database.
    #[error(
        "names a change that this database does not have; it was restored from an older copy, or is a replica that is behind: \
         leave snaptoken out, or use a newer one"
    )]
    Ahead,
    #[error(transparent)]
    Database(#[from] database::Error),
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum EvaluateError {
    #[error(transparent)]
    Snapshot(#[from] RequireSnapshotError),
    #[error(transparent)]
    TooManyNames(#[from] TooManyNames),
    #[error(transparent)]
    NamesAreFull(#[from] NamesAreFull),
    #[error("the evaluation did not end")]
    Endless,
    #[error("the question needs more than {} relation tuples; ask about less, or simplify the model", MOST_TUPLES)]
    TooManyTuples,
    #[error(transparent)]
    NotInMemory(#[from] Absence),
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// An answer, and the snapshot that it was computed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered<T> {
    pub answer: T,
    pub snapshot: Snapshot,
}

impl<T> Answered<T> {
    pub(super) fn map<U>(self, convert: impl FnOnce(T) -> U) -> Answered<U> {
        Answered { answer: convert(self.answer), snapshot: self.snapshot }
    }
}

/// What an answer depends on besides the relation tuples and the time. Its other limits are those of every question, and the
/// snapshot that it needs is older than its evaluation.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct QuestionKey<A> {
    pub(super) tenant: TenantId,
    pub(super) model: SameModel,
    pub(super) depth: u16,
    /// The attributes of the request as canonical JSON.
    pub(super) context: Option<String>,
    pub(super) asked: A,
}

/// A loaded model is equal to itself alone.
#[derive(Clone)]
pub(super) struct SameModel(pub(super) Arc<LoadedModel>);

impl PartialEq for SameModel {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for SameModel {}

impl Hash for SameModel {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

/// The evaluations of one kind of question, which asks `A` and has the answer `T`.
pub(crate) type Together<A, T> = Arc<SharedEvaluations<QuestionKey<A>, Result<Answered<T>, EvaluateError>>>;

/// Why a check has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Unloaded(#[from] Unloaded),
    /// A text is too long, a namespace does not exist, or strict mode refuses the subject.
    #[error(transparent)]
    Invalid(#[from] InvalidTuple),
    /// The namespace declares relations, but not this one.
    #[error("relation \"{0}\" does not exist")]
    UndeclaredRelation(String),
    /// A relation tuple, or the model, leads to a relation that its namespace does not declare, for example because it was renamed.
    #[error(
        "relation \"{relation}\" does not exist in the namespace \"{namespace}\", and a relation tuple leads to it; explain=true shows \
         which"
    )]
    UndeclaredOnTheWay { namespace: String, relation: String },
    /// A limit was reached, or a condition has no result.
    #[error("{reason}")]
    Unanswered { failure: Failure, reason: String },
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
}

impl CheckError {
    /// The text in the result of a batch: limits have the names that Keto gives them.
    pub fn in_batch(&self) -> String {
        match self {
            Self::Unanswered { failure: failure @ (Failure::DepthExhausted | Failure::BreadthExhausted), .. } => {
                failure.name().to_owned()
            }
            Self::Unloaded(_)
            | Self::Invalid(_)
            | Self::UndeclaredRelation(_)
            | Self::UndeclaredOnTheWay { .. }
            | Self::Unanswered { .. }
            | Self::Evaluate(_) => self.to_string(),
        }
    }
}

/// What was decided about a request.
#[derive(Clone, Debug)]
pub struct Decision {
    pub answer: Result<bool, CheckError>,
    /// The way that grants, or the nearest miss, if it was asked for and the request was evaluated.
    pub steps: Option<Vec<Line>>,
}

/// Everything that requests ask: attributes as canonical JSON.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct AskedRequests {
    pub(super) requests: Vec<(RelationTuple, [Option<String>; 4])>,
    pub(super) semantic: EvaluationsSemantic,
    pub(super) explains: bool,
}
