//! The readers that answer in this process: those in memory, and one that is read in rounds.

use std::task::Poll;

use super::conformance::{Answer, Question, Reader, WIDE};
use super::generator::NOW;
use super::list_reader::TestConditions;
use super::mismatch::{Mismatch, bail, ensure};
use super::store::Store;
use crate::domain::evaluation::explain::{Explanation, Step, StepKind};
use crate::domain::evaluation::rounds::Rounds;
use crate::domain::evaluation::{Evaluator, EvaluatorParts, Limits, Relations, Scratch, SubjectKind};
use crate::domain::graph::Graph;
use crate::domain::ids::{SubjectNumber, Userset};
use crate::domain::schema::Schema;
use crate::domain::symbols::Symbols;

/// The numbers that a reader gives to the userset and the subject of a question.
pub(super) type Number<'a> = &'a dyn Fn(&Question) -> (Userset, SubjectNumber);

/// A reader that has every answer at once, with the schema and the conditions that use its numbers.
pub(super) struct InMemory<'a, R> {
    pub(super) name: &'static str,
    pub(super) schema: &'a Schema,
    pub(super) symbols: &'a Symbols,
    pub(super) number: Number<'a>,
    pub(super) relations: R,
}

impl<R: Relations> InMemory<'_, R> {
    fn evaluator<T>(
        &mut self,
        limits: Limits,
        scratch: &mut Scratch,
        ask: impl FnOnce(&mut Evaluator<'_, R, TestConditions<'_>>) -> T,
    ) -> T {
        let conditions = &mut TestConditions(self.symbols);
        let (schema, relations) = (self.schema, &mut self.relations);
        ask(&mut Evaluator::new(EvaluatorParts { schema, relations, conditions, scratch, limits, now: NOW }))
    }
}

impl<R: Relations> Reader for InMemory<'_, R> {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn alone(&mut self, questions: &[&Question], limits: Limits) -> Result<Vec<Answer>, Mismatch> {
        let (mut scratch, number) = (Scratch::default(), self.number);
        let mut ask = |question: &&Question| {
            let (userset, subject) = number(question);
            at_once(self.evaluator(limits, &mut scratch, |it| it.check(userset, subject)))
        };
        questions.iter().map(&mut ask).collect()
    }

    async fn together(&mut self, questions: &[&Question]) -> Result<Vec<Answer>, Mismatch> {
        let number = self.number;
        self.evaluator(WIDE, &mut Scratch::default(), |evaluator| {
            evaluator.remember_answers();
            let ask = |question: &&Question| {
                let (userset, subject) = number(question);
                at_once(evaluator.check(userset, subject))
            };
            questions.iter().map(ask).collect()
        })
    }

    async fn explained(&mut self, question: &Question) -> Result<Answer, Mismatch> {
        let (userset, subject) = (self.number)(question);
        let found = self.evaluator(WIDE, &mut Scratch::default(), |it| it.explain(userset, subject));
        granted_by_tuples(at_once(found)?, &mut self.relations)
    }
}

/// A store that is read in rounds.
pub(super) struct InRounds<'a> {
    pub(super) graph: &'a Graph,
    pub(super) schema: &'a Schema,
    pub(super) number: Number<'a>,
    pub(super) most_rounds: usize,
    pub(super) reads: u64,
}

impl InRounds<'_> {
    fn ask<T>(
        &mut self,
        limits: Limits,
        ask: impl FnMut(&mut Evaluator<'_, Rounds, TestConditions<'_>>) -> Poll<T>,
    ) -> Result<T, Mismatch> {
        let answered = Store { graph: self.graph, schema: self.schema, limits }.ask(ask)?;
        self.most_rounds = self.most_rounds.max(answered.rounds);
        self.reads += answered.reads as u64;
        Ok(answered.answer)
    }
}

impl Reader for InRounds<'_> {
    fn name(&self) -> &'static str {
        "the store that is read in rounds"
    }

    async fn alone(&mut self, questions: &[&Question], limits: Limits) -> Result<Vec<Answer>, Mismatch> {
        let number = self.number;
        let ask = |question: &&Question| {
            let (userset, subject) = number(question);
            self.ask(limits, |evaluator| evaluator.check(userset, subject))
        };
        questions.iter().map(ask).collect()
    }

    async fn together(&mut self, questions: &[&Question]) -> Result<Vec<Answer>, Mismatch> {
        let numbered: Vec<_> = questions.iter().map(|question| (self.number)(question)).collect();
        self.ask(WIDE, |evaluator| {
            // All of them are asked before anything is read.
            let answers: Vec<Poll<Answer>> =
                numbered.iter().map(|(userset, subject)| evaluator.check(*userset, *subject)).collect();
            let ready = answers.into_iter().map(|answer| match answer {
                Poll::Ready(answer) => Some(answer),
                Poll::Pending => None,
            });
            ready.collect::<Option<Vec<Answer>>>().map_or(Poll::Pending, Poll::Ready)
        })
    }

    async fn explained(&mut self, question: &Question) -> Result<Answer, Mismatch> {
        let (userset, subject) = (self.number)(question);
        let explanation = self.ask(WIDE, |evaluator| evaluator.explain(userset, subject))?;
        granted_by_tuples(explanation, &mut self.graph.at(NOW))
    }
}

pub(super) fn at_once<T>(poll: Poll<T>) -> Result<T, Mismatch> {
    match poll {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => bail!("a reader in memory is pending"),
    }
}

/// The answer, if an explanation of a "yes" consists of tuples that exist and of nothing that fails.
fn granted_by_tuples(explanation: Explanation, relations: &mut impl Relations) -> Result<Answer, Mismatch> {
    let Explanation { answer, steps } = explanation;
    ensure!(!steps.is_empty(), "an explanation without steps");
    if answer == Ok(true) {
        let exists = |step: &Step| step_holds(step.kind, relations);
        ensure!(steps.iter().all(exists), "granted, but not by {steps:?}");
    }
    Ok(answer)
}

/// Whether a step can stand in an explanation of a "yes".
fn step_holds(kind: StepKind, relations: &mut impl Relations) -> bool {
    match kind {
        StepKind::Tuple { userset, subject } => relations.tuple(userset, subject) != Poll::Ready(None),
        StepKind::SubjectSet { userset, set } => relations.tuple(userset, set) != Poll::Ready(None),
        StepKind::Traverse { through, to } => {
            let mut links = Vec::new();
            let _ = relations.subjects(through, SubjectKind::Objects, usize::MAX, &mut links);
            links.iter().any(|link| link.subject.with_relation(to.relation()) == to)
        }
        StepKind::Condition { holds, .. } => holds == Some(true),
        StepKind::Rewrite { .. } | StepKind::Formula { .. } | StepKind::NotExcluded { .. } => true,
        StepKind::Excluded { .. }
        | StepKind::Expired
        | StepKind::NoTuple { .. }
        | StepKind::Failed(_)
        | StepKind::NotFound { .. } => false,
    }
}
