//! Answers questions about relation tuples: from memory when the graph of the tenant is current and recent enough, otherwise from
//! the tables. This is the one place where a reader is chosen.
//!
//! Invariants:
//! - An answer is computed at one snapshot, which is returned with it.
//! - Both readers have the same limits, so that an answer does not depend on the reader.

mod in_graph;
mod in_tables;
mod together;

use std::sync::Arc;
use std::task::Poll;

use base::Context;

use super::shared_answers::RequireSnapshotError;
pub(super) use super::shared_answers::{Answered, EvaluateError};
use crate::Permissions;
use crate::components::graph::{QuestionedGraph, View};
use crate::components::models::LoadedModel;
use crate::domain::condition::Object;
use crate::domain::consistency::Consistency;
use crate::domain::evaluation::reverse::Directory;
use crate::domain::evaluation::{Evaluator, Limits};
use crate::domain::ids::{SubjectNumber, Userset};
use crate::domain::names::Names;
use crate::domain::relation_tuple::Subject;
use crate::domain::request_conditions::RequestConditions;
use crate::domain::snapshot::Snapshot;
use crate::domain::symbols::Symbols;

pub(super) use together::Shareable;

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

impl Permissions {
    /// The answer to a question that only memory can answer. It waits for a graph that is behind or is not
    /// there yet.
    pub(super) async fn answer_from_memory<Q: Question>(
        &self,
        cx: &Context,
        asking: &Asking<'_>,
        question: &Q,
    ) -> Result<Answered<Q::Answer>, EvaluateError> {
        let graph = self.graphs.of_question(cx.tenant);
        let needed = self.needed(cx, asking, &graph).await?;
        let ask = |view: &View<'_>| in_graph::ask(view, cx, asking, question);
        if !graph.is_there() {
            self.request_graph(cx).await?;
        }
        if let Some(answered) = graph.read_when_reached(asking.model, needed, ask).await {
            return answered;
        }
        Err(graph.absence().into())
    }

    /// The answer from memory or from the tables.
    pub(super) async fn answer<Q: Question>(
        &self,
        cx: &Context,
        asking: &Asking<'_>,
        question: &Q,
    ) -> Result<Answered<Q::Answer>, EvaluateError> {
        match self.answer_if_in_memory(cx, asking, question).await? {
            Some(answered) => Ok(answered),
            None => in_tables::ask(&self.database, cx, asking, question).await,
        }
    }

    /// The answer from memory. A graph that lacks what the answer must have is not waited for: the tables have it (`None`).
    pub(super) async fn answer_if_in_memory<Q: Question>(
        &self,
        cx: &Context,
        asking: &Asking<'_>,
        question: &Q,
    ) -> Result<Option<Answered<Q::Answer>>, EvaluateError> {
        let graph = self.graphs.of_question(cx.tenant);
        let needed = self.needed(cx, asking, &graph).await?;
        if let Some(answered) = graph.read(asking.model, needed, |view| in_graph::ask(view, cx, asking, question)) {
            return answered.map(Some);
        }
        // Later questions find it in memory.
        graph.ask_for(needed);
        self.request_graph(cx).await?;
        Ok(None)
    }

    /// The oldest snapshot that may answer.
    async fn needed(
        &self,
        cx: &Context,
        asking: &Asking<'_>,
        graph: &QuestionedGraph<'_>,
    ) -> Result<Snapshot, RequireSnapshotError> {
        let acknowledged = graph.acknowledged();
        Ok(self.require_snapshot(cx, asking.consistency).await?.max(acknowledged))
    }

    /// Graphs are loaded for tenants that have a row, which is created with the secret for tokens.
    async fn request_graph(&self, cx: &Context) -> Result<(), EvaluateError> {
        self.tokens.sealer(cx).await?;
        Ok(())
    }
}
