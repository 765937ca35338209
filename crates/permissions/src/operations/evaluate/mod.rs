//! Answers questions about relation tuples: from memory when the graph of the tenant is current and recent enough, otherwise from
//! the tables. This is the one place where a reader is chosen.
//!
//! Invariants:
//! - An answer is computed at one snapshot, which is returned with it.
//! - Both readers have the same limits, so that an answer does not depend on the reader.

mod in_graph;
mod in_tables;

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use base::Context;
use tokio::time::Instant;

use super::require_snapshot::RequireSnapshotError;
use crate::Permissions;
use crate::components::models::LoadedModel;
use crate::domain::condition::Object;
use crate::domain::consistency::Consistency;
use crate::domain::evaluation::reverse::Directory;
use crate::domain::evaluation::{Evaluator, Limits};
use crate::domain::ids::{Subject as SubjectNumber, Userset};
use crate::domain::names::{Names, NamesAreFull};
use crate::domain::relation_tuple::Subject;
use crate::domain::request_conditions::RequestConditions;
use crate::domain::snapshot::Snapshot;
use crate::domain::symbols::{Symbols, TooManyNames};

#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    #[error(transparent)]
    Snapshot(#[from] RequireSnapshotError),
    #[error(transparent)]
    TooManyNames(#[from] TooManyNames),
    #[error(transparent)]
    NamesAreFull(#[from] NamesAreFull),
    #[error("the evaluation did not end")]
    Endless,
    #[error(
        "the question needs more than {} relation tuples; ask about less, or simplify the model",
        in_tables::MOST_TUPLES
    )]
    TooManyTuples,
    #[error("the relation tuples are not in memory: they are being loaded, or exceed permissions.graph")]
    NotInMemory,
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

/// What bounds and accompanies a question.
pub(super) struct Asking<'a> {
    pub(super) model: &'a Arc<LoadedModel>,
    pub(super) limits: Limits,
    /// The attributes of the request, for conditions.
    pub(super) context: Option<&'a Object>,
    pub(super) consistency: Consistency,
}

/// A question that any reader can answer.
pub(super) trait Question: Sync {
    /// The names of the question as numbers of a reader.
    type Numbered: Send;
    /// The answer in numbers of a reader.
    type Found: Send;
    type Answer;

    fn number(&self, numbers: &mut (dyn Numbers + Send)) -> Result<Self::Numbered, EvaluateError>;

    /// Is called again until nothing is pending, each time from the beginning: what it found before may be of another snapshot.
    fn ask<'q, R: Directory>(
        &'q self,
        numbered: &Self::Numbered,
        evaluator: &mut Evaluator<'_, R, RequestConditions<'q>>,
    ) -> Poll<Self::Found>;

    fn present(&self, found: Self::Found, numbers: &(dyn Numbers + Send)) -> Self::Answer;
}

/// The numbers that a reader gives to names.
pub(super) trait Numbers {
    /// The number of a relation of an object.
    fn userset(&mut self, namespace: &str, object: &str, relation: &str) -> Result<Userset, EvaluateError>;
    fn subject(&mut self, subject: &Subject) -> Result<SubjectNumber, EvaluateError>;
    fn subject_of(&self, number: SubjectNumber) -> Subject;
    fn symbols(&self) -> &Symbols;
    fn names(&self) -> &Names;
}

/// How long a question that only memory can answer waits for a graph that is there, but is behind or has heard nothing from the log
/// lately, as on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(5);
const ASK_EVERY: Duration = Duration::from_millis(25);

impl Permissions {
    /// The answer to a question that only memory can answer.
    pub(super) async fn answer_from_memory<Q: Question>(
        &self,
        cx: &Context,
        asking: &Asking<'_>,
        question: &Q,
    ) -> Result<Answered<Q::Answer>, EvaluateError> {
        let needed = self.needed(cx, asking).await?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(answered) = self.ask_graph(cx, asking, needed, question).await? {
                return Ok(answered);
            }
            if !self.graphs.is_loaded(cx.tenant) || Instant::now() >= deadline {
                break;
            }
            self.feed.ask();
            tokio::time::sleep(ASK_EVERY).await;
        }
        self.request_graph(cx).await?;
        Err(EvaluateError::NotInMemory)
    }

    pub(super) async fn answer<Q: Question>(
        &self,
        cx: &Context,
        asking: &Asking<'_>,
        question: &Q,
    ) -> Result<Answered<Q::Answer>, EvaluateError> {
        let needed = self.needed(cx, asking).await?;
        if let Some(answered) = self.ask_graph(cx, asking, needed, question).await? {
            return Ok(answered);
        }
        self.request_graph(cx).await?;
        self.ask_tables(cx, asking, question).await
    }

    /// The oldest snapshot that may answer.
    async fn needed(&self, cx: &Context, asking: &Asking<'_>) -> Result<Snapshot, EvaluateError> {
        let acknowledged = self.graphs.acknowledged(cx.tenant);
        Ok(self.require_snapshot(cx, asking.consistency).await?.max(acknowledged))
    }

    /// `None`: the graph of the tenant is not there, or not recent enough.
    async fn ask_graph<Q: Question>(
        &self,
        cx: &Context,
        asking: &Asking<'_>,
        needed: Snapshot,
        question: &Q,
    ) -> Result<Option<Answered<Q::Answer>>, EvaluateError> {
        self.graphs.reach(cx.tenant, needed).await;
        let read = self.graphs.read(cx.tenant, asking.model, needed, |view| in_graph::ask(view, cx, asking, question));
        read.transpose()
    }

    /// Graphs are loaded for tenants that have a row, which is created with the secret for tokens.
    async fn request_graph(&self, cx: &Context) -> Result<(), EvaluateError> {
        self.tokens.sealer(cx).await?;
        Ok(())
    }
}
