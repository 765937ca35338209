//! A store that answers in rounds: it fetches from a graph what an evaluation lacks, as a database would.

use std::task::Poll;

use super::generator::NOW;
use super::list_reader::TestConditions;
use super::mismatch::{Mismatch, bail, ensure};
use crate::domain::evaluation::reverse::Directory;
use crate::domain::evaluation::rounds::{Found, Read, Rounds};
use crate::domain::evaluation::{Evaluator, EvaluatorParts, Limits, Relations, Scratch, Terms};
use crate::domain::graph::Graph;
use crate::domain::ids::NameId;
use crate::domain::schema::Schema;

/// The usersets at every depth, each read in at most two rounds, and those of formulas.
const MAX_ROUNDS: usize = 400;

pub(crate) struct Store<'g> {
    pub(crate) graph: &'g Graph,
    pub(crate) schema: &'g Schema,
    pub(crate) limits: Limits,
}

/// An answer, the rounds that it took and the reads of all rounds.
pub(crate) struct Answered<T> {
    pub(crate) answer: T,
    pub(crate) rounds: usize,
    pub(crate) reads: usize,
}

impl Store<'_> {
    /// Evaluates until nothing is pending.
    pub(crate) fn ask<T>(
        &self,
        mut ask: impl FnMut(&mut Evaluator<'_, Rounds, TestConditions<'_>>) -> Poll<T>,
    ) -> Result<Answered<T>, Mismatch> {
        let mut relations = Rounds::default();
        self.share_names(&mut relations)?;
        let mut scratch = Scratch::default();
        let mut reads = 0;
        for rounds in 0..MAX_ROUNDS {
            let mut conditions = TestConditions(self.graph.symbols());
            let parts = EvaluatorParts {
                schema: self.schema,
                relations: &mut relations,
                conditions: &mut conditions,
                scratch: &mut scratch,
                limits: self.limits,
                now: NOW,
            };
            if let Poll::Ready(answer) = ask(&mut Evaluator::new(parts)) {
                return Ok(Answered { answer, rounds, reads });
            }
            let missing = relations.take_missing();
            ensure!(!missing.is_empty(), "pending without a read");
            reads += missing.len();
            for read in missing {
                let found = self.fetch(read, &mut relations);
                relations.answer(read, found);
            }
        }
        bail!("more than {MAX_ROUNDS} rounds")
    }

    /// Gives the names of the graph the same numbers in the request.
    fn share_names(&self, rounds: &mut Rounds) -> Result<(), Mismatch> {
        for number in 1..=u32::try_from(self.graph.names().len())? {
            let id = rounds.names().intern(self.graph.names().name(NameId(number)))?;
            ensure!(id == NameId(number), "numbers differ");
        }
        Ok(())
    }

    fn fetch(&self, read: Read, rounds: &mut Rounds) -> Found {
        let mut graph = self.graph.at(NOW);
        match read {
            Read::Tuple { userset, subject } => {
                let terms = ready(graph.tuple(userset, subject)).flatten();
                Found::Tuple(terms.map(|terms| self.moved(terms, rounds)))
            }
            Read::Subjects { userset, kind, limit } => {
                let mut links = Vec::new();
                let count = ready(graph.subjects_by_text(userset, kind, limit, &mut links)).unwrap_or_default();
                for link in &mut links {
                    link.terms = self.moved(link.terms, rounds);
                }
                Found::Links { links, has_more: count > limit }
            }
            Read::SubjectsOfType { userset, namespace, relation, limit } => {
                let mut links = Vec::new();
                let read = graph.subjects_of_type(userset, (namespace, relation), limit, &mut links);
                for link in &mut links {
                    link.terms = self.moved(link.terms, rounds);
                }
                Found::Links { links, has_more: ready(read).unwrap_or_default() }
            }
            Read::Memberships { of, limit } => {
                let mut memberships = Vec::new();
                let has_more = ready(graph.memberships(of, limit, &mut memberships)).unwrap_or_default();
                for it in &mut memberships {
                    it.terms = self.moved(it.terms, rounds);
                }
                Found::Memberships { memberships, has_more }
            }
            Read::Objects { namespace, limit } => {
                let mut objects = Vec::new();
                let has_more = ready(graph.objects(namespace, limit, &mut objects)).unwrap_or_default();
                Found::Objects { objects, has_more }
            }
            Read::HasMoreSets { userset, breadth } => {
                Found::HasMoreSets(ready(graph.has_more_sets(userset, breadth)).unwrap_or_default())
            }
            Read::RelationsInUse { namespace } => {
                let mut relations = Vec::new();
                let _ = graph.relations_in_use(namespace, &mut relations);
                Found::Relations(relations)
            }
        }
    }

    fn moved(&self, terms: Terms, rounds: &mut Rounds) -> Terms {
        let graph = self.graph.at(NOW);
        let context = terms.context.and_then(|id| graph.context(id)).map(|text| rounds.keep_context(text));
        Terms { context, ..terms }
    }
}

fn ready<T>(poll: Poll<T>) -> Option<T> {
    match poll {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
