//! Unions: everything that leads to a userset through subject sets, traversals and other relations of the same object, searched
//! breadth first, each userset once. A union over a dense or cyclic graph costs as much as the graph has edges.
//!
//! Invariants:
//! - A userset is visited with the largest depth that can be left for it: references on the same object cost nothing and are
//!   followed before those to other objects.
//! - The visited usersets are those of one search. Operands of a formula never share them, because each must find its own proof.

use std::task::Poll;

use super::check::Evaluator;
use super::limits::Failure;
use super::outcome::{NONE, Outcome, Value};
use super::relations::{Conditions, Link, Relations, SubjectKind};
use super::scratch::{Deferred, Frame, Key, Later};
use crate::domain::ids::{RelationId, Userset};
use crate::domain::schema::{Accepted, Alternative, Definition, Rules};

/// Whether the search has its answer.
enum Search {
    Goes,
    Found,
    OutOfSteps,
}

impl<R: Relations, C: Conditions> Evaluator<'_, R, C> {
    /// The answer for all members of a userset, remembered if it is likely to be asked for again.
    pub(super) fn members_of(&mut self, userset: Userset, depth: u16) -> Outcome {
        if let Some(value) = self.scratch.known(Key::Userset(userset), depth) {
            return Outcome::of(value);
        }
        if depth == 0 {
            return Outcome::failed(Failure::DepthExhausted);
        }
        let mut frame = self.scratch.take_frame(depth);
        frame.current.push(userset);
        let outcome = self.search(&mut frame);
        if self.remembers || !self.scratch.open.is_empty() {
            if outcome.low == NONE {
                self.remember(Key::Userset(userset), outcome, depth);
            }
            self.remember_members(&frame, outcome, depth);
        }
        self.scratch.give_back(frame);
        outcome
    }

    /// A union that is an operand of a formula.
    pub(super) fn union(&mut self, alternatives: &[Alternative], object: Userset, depth: u16) -> Outcome {
        let mut frame = self.scratch.take_frame(depth);
        Self::alternatives(alternatives, object, &mut frame);
        let outcome = self.search(&mut frame);
        self.scratch.give_back(frame);
        outcome
    }

    /// Where nothing was found at the full depth, none of the visited usersets has the subject.
    fn remember_members(&mut self, frame: &Frame, outcome: Outcome, depth: u16) {
        if outcome.value == Value::No && outcome.low == NONE {
            for visited in frame.visited.iter().skip(1) {
                self.remember(Key::Userset(visited), outcome, depth);
            }
        }
    }

    fn search(&mut self, frame: &mut Frame) -> Outcome {
        loop {
            while let Some(userset) = frame.current.pop() {
                if !frame.visited.insert(userset) {
                    continue;
                }
                match self.visit(userset, frame) {
                    Search::Goes => {}
                    Search::Found => return Outcome::YES,
                    Search::OutOfSteps => return Outcome::failed(Failure::StepsExhausted),
                }
            }
            if let Search::OutOfSteps = self.follow_later(frame) {
                return Outcome::failed(Failure::StepsExhausted);
            }
            let Frame { next, visited, .. } = frame;
            next.retain(|userset| !visited.contains(*userset));
            if frame.next.is_empty() {
                break;
            }
            frame.depth -= 1;
            if frame.depth == 0 {
                frame.others.fail(Failure::DepthExhausted);
                break;
            }
            std::mem::swap(&mut frame.current, &mut frame.next);
        }
        for index in 0..frame.deferred.len() {
            let outcome = self.deferred(frame.deferred[index]);
            match outcome.value {
                Value::Yes => return Outcome::YES,
                Value::Failed(Failure::StepsExhausted) => return outcome,
                Value::No | Value::Failed(_) | Value::Pending => frame.others.add(outcome),
            }
        }
        frame.others.outcome()
    }

    fn visit(&mut self, userset: Userset, frame: &mut Frame) -> Search {
        if !self.step() {
            return Search::OutOfSteps;
        }
        match self.scratch.known(Key::Userset(userset), frame.depth) {
            Some(Value::Yes) => return Search::Found,
            Some(value) => {
                frame.others.add(Outcome::of(value));
                return Search::Goes;
            }
            None => {}
        }
        match self.schema.rules(userset.namespace(), userset.relation()) {
            Rules::Undeclared => {
                let (namespace, relation) = (userset.namespace(), userset.relation());
                frame.others.fail(Failure::UndeclaredRelation { namespace, relation });
                Search::Goes
            }
            Rules::TuplesOnly(accepted) => self.tuples(userset, accepted, frame),
            Rules::Declared(definition) => self.definition(definition, userset, frame),
        }
    }

    fn definition(&mut self, definition: &Definition, userset: Userset, frame: &mut Frame) -> Search {
        if definition.is_cyclic {
            let &Definition { namespace, relation, .. } = definition;
            frame.others.fail(Failure::CyclicPermits { namespace, relation });
        }
        match self.tuples(userset, &definition.accepted, frame) {
            Search::Goes => {
                Self::alternatives(&definition.alternatives, userset, frame);
                Search::Goes
            }
            ended => ended,
        }
    }

    /// The tuples of a userset: the subject itself, and the subject sets that lead to it.
    fn tuples(&mut self, userset: Userset, accepted: &Accepted, frame: &mut Frame) -> Search {
        if accepted.may_admit(self.subject) {
            match self.relations.tuple(userset, self.subject) {
                Poll::Pending => frame.others.pending(),
                Poll::Ready(Some(terms)) if accepted.admits(self.subject, terms.condition) => match self.counts(&terms)
                {
                    Value::Yes => return Search::Found,
                    value => frame.others.add(Outcome::of(value)),
                },
                Poll::Ready(_) => {}
            }
        }
        if accepted.has_sets() {
            frame.later.push(Later::Sets(userset));
        }
        Search::Goes
    }

    /// Reads what leads from this depth to the next.
    fn follow_later(&mut self, frame: &mut Frame) -> Search {
        for index in 0..frame.later.len() {
            let ended = match frame.later[index] {
                Later::Sets(userset) => self.sets(userset, frame),
                Later::Traverse { through, target } => self.traverse(through, target, frame),
            };
            if let Search::OutOfSteps = ended {
                return ended;
            }
        }
        frame.later.clear();
        Search::Goes
    }

    fn sets(&mut self, userset: Userset, frame: &mut Frame) -> Search {
        let Some(accepted) = self.schema.accepted(userset.namespace(), userset.relation()) else { return Search::Goes };
        let limit = self.limits.breadth as usize;
        self.links(userset, SubjectKind::Sets, limit, frame, |this, link, frame| {
            this.follow(link, link.subject, accepted, frame);
        })
    }

    fn alternatives(alternatives: &[Alternative], object: Userset, frame: &mut Frame) {
        for alternative in alternatives {
            match *alternative {
                Alternative::Has(relation) => frame.current.push(object.with_relation(relation)),
                Alternative::Formula(id) => {
                    let key = Key::Formula(id, object.with_relation(RelationId::NONE));
                    frame.deferred.push(Deferred { key, depth: frame.depth, failure: None });
                }
                Alternative::Traverse { relation, target } => {
                    frame.later.push(Later::Traverse { through: object.with_relation(relation), target });
                }
            }
        }
    }

    fn traverse(&mut self, through: Userset, target: RelationId, frame: &mut Frame) -> Search {
        let Some(accepted) = self.schema.accepted(through.namespace(), through.relation()) else {
            let (namespace, relation) = (through.namespace(), through.relation());
            frame.others.fail(Failure::UndeclaredRelation { namespace, relation });
            return Search::Goes;
        };
        // Keto does not limit the breadth of a traversal.
        let limit = self.limits.steps as usize;
        self.links(through, SubjectKind::Objects, limit, frame, |this, link, frame| {
            this.follow(link, link.subject.with_relation(target), accepted, frame);
        })
    }

    fn links(
        &mut self,
        userset: Userset,
        kind: SubjectKind,
        limit: usize,
        frame: &mut Frame,
        mut each: impl FnMut(&mut Self, Link, &mut Frame),
    ) -> Search {
        let mut links = std::mem::take(&mut frame.links);
        match self.relations.subjects(userset, kind, limit, &mut links) {
            Poll::Pending => frame.others.pending(),
            Poll::Ready(has_more) => {
                if has_more {
                    frame.others.fail(Failure::BreadthExhausted);
                }
                for link in &links {
                    if !self.step() {
                        return Search::OutOfSteps;
                    }
                    each(self, *link, frame);
                }
            }
        }
        links.clear();
        frame.links = links;
        Search::Goes
    }

    /// Goes on at the userset that a tuple leads to, if the tuple counts.
    fn follow(&mut self, link: Link, target: Userset, accepted: &Accepted, frame: &mut Frame) {
        if !accepted.admits(link.subject, link.terms.condition) || frame.visited.contains(target) {
            return;
        }
        match self.counts(&link.terms) {
            Value::Yes => frame.next.push(target),
            Value::No => {}
            Value::Pending => frame.others.pending(),
            Value::Failed(failure) => {
                let failure = Some(failure);
                frame.deferred.push(Deferred { key: Key::Uncertain(target), depth: frame.depth - 1, failure });
            }
        }
    }
}
