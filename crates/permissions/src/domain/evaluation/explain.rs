//! Why a check has its answer: the way that grants, or the way that came nearest and what it lacks.
//!
//! It is a second pass over the answered check, so that checks that need no explanation pay nothing for it. It searches as the
//! check does and notes for every userset where it came from; formulas are answered by the evaluator.
//!
//! Invariants:
//! - The explanation of a "yes" ends, at each level, with a tuple or a condition that holds.
//! - The answer is that of [`Evaluator::check`].

use std::collections::VecDeque;
use std::task::Poll;

use super::check::Evaluator;
use super::limits::Failure;
use super::outcome::Value;
use super::relations::{Conditions, Link, Relations, SubjectKind, Terms};
use super::scratch::{Deferred, Key};
use crate::domain::hashing::IdSet;
use crate::domain::ids::{ConditionId, RelationId, SubjectNumber, Userset};
use crate::domain::schema::{Accepted, Alternative, FormulaId, Operand, Rules};

/// Formulas in formulas are explained to this level.
const MAX_LEVEL: u16 = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub answer: Result<bool, Failure>,
    /// The way that grants, or the nearest miss; from the userset of the question on.
    pub steps: Vec<Step>,
}

/// A step of the way. The operands of a formula follow it, one level deeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub level: u16,
    pub kind: StepKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// The tuple names the subject itself.
    Tuple { userset: Userset, subject: SubjectNumber },
    /// The tuple names a subject set, whose members are looked at next.
    SubjectSet { userset: Userset, set: Userset },
    /// A permit follows from another relation of the same object.
    Rewrite { from: Userset, to: Userset },
    /// A permit follows from `to` of an object that the relation `through` leads to.
    Traverse { through: Userset, to: Userset },
    /// An intersection or exclusion of a permit; its operands follow.
    Formula { userset: Userset },
    /// An exclusion: the subject is not among the excluded.
    NotExcluded { object: Userset },
    /// An exclusion: the subject is among the excluded, for the reason that follows.
    Excluded { object: Userset },
    /// A condition of the permit or of the tuple before. Without a value an attribute is missing.
    Condition { condition: ConditionId, holds: Option<bool> },
    /// The tuple before has expired.
    Expired,
    /// No tuple leads from here to the subject.
    NoTuple { userset: Userset },
    /// The question has no answer here.
    Failed(Failure),
    /// The answer is yes, and looking for the way again took too many steps.
    NotFound { userset: Userset },
}

/// How near a way came. The nearest is reported; of equals the first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    Nothing,
    Failed,
    Formula,
    /// A tuple names the subject and does not count.
    Tuple,
    Granted,
}

struct Way {
    nearness: Nearness,
    steps: Vec<Step>,
}

/// A userset of the search and how it was reached.
struct Place {
    userset: Userset,
    depth: u16,
    /// The step that led here, and the place that it began at; none for the start of the search.
    from: Option<(Option<usize>, StepKind)>,
}

struct Trace {
    level: u16,
    places: Vec<Place>,
    /// The places that are still to be explained, in the order of the check: references on the same object come before those to
    /// other objects, so that a userset has the largest depth that can be left for it.
    queue: VecDeque<usize>,
    seen: IdSet<Userset>,
    /// Explained after everything that needs no formula, because a way without formulas is the plainer one.
    formulas: Vec<Formula>,
    best: Way,
}

#[derive(Clone, Copy)]
struct Formula {
    id: FormulaId,
    object: Userset,
    depth: u16,
    at: Option<usize>,
}

impl Trace {
    fn add(&mut self, userset: Userset, depth: u16, from: Option<(Option<usize>, StepKind)>) {
        if self.seen.contains(&userset) {
            return;
        }
        let is_near = matches!(from, None | Some((_, StepKind::Rewrite { .. })));
        let index = self.places.len();
        self.places.push(Place { userset, depth, from });
        if is_near {
            self.queue.push_front(index);
        } else {
            self.queue.push_back(index);
        }
    }

    /// Keeps a way through a place if it is nearer than the others.
    fn offer(&mut self, nearness: Nearness, place: Option<usize>, ends: impl IntoIterator<Item = Step>) {
        if nearness <= self.best.nearness {
            return;
        }
        let mut steps = Vec::new();
        let mut at = place;
        while let Some((from, kind)) = at.and_then(|index| self.places[index].from) {
            steps.push(Step { level: self.level, kind });
            at = from;
        }
        steps.reverse();
        steps.extend(ends);
        self.best = Way { nearness, steps };
    }

    fn step(&self, kind: StepKind) -> Step {
        Step { level: self.level, kind }
    }
}

impl<R: Relations, C: Conditions> Evaluator<'_, R, C> {
    /// A check with its reason.
    pub fn explain(&mut self, userset: Userset, subject: SubjectNumber) -> Poll<Explanation> {
        let Poll::Ready(answer) = self.check(userset, subject) else { return Poll::Pending };
        // The second pass may cause as much work as the first.
        self.steps = self.limits.steps;
        self.conditions.begin();
        self.remembers = true;
        self.explain_userset(userset, self.limits.levels(), 0).map(|Way { nearness, mut steps }| {
            if answer == Ok(true) && nearness < Nearness::Granted {
                steps = vec![Step { level: 0, kind: StepKind::NotFound { userset } }];
            }
            Explanation { answer, steps }
        })
    }

    fn explain_userset(&mut self, userset: Userset, depth: u16, level: u16) -> Poll<Way> {
        let mut trace = new_trace(userset, level);
        trace.add(userset, depth, None);
        self.follow_trace(trace)
    }

    fn follow_trace(&mut self, mut trace: Trace) -> Poll<Way> {
        while trace.best.nearness < Nearness::Granted
            && let Some(at) = trace.queue.pop_front()
        {
            if !trace.seen.insert(trace.places[at].userset) {
                continue;
            }
            if !self.step() {
                let end = trace.step(StepKind::Failed(Failure::StepsExhausted));
                trace.offer(Nearness::Failed, Some(at), [end]);
                break;
            }
            if self.explain_place(at, &mut trace).is_pending() {
                return Poll::Pending;
            }
        }
        for formula in std::mem::take(&mut trace.formulas) {
            if trace.best.nearness < Nearness::Granted && self.explain_formula(formula, &mut trace).is_pending() {
                return Poll::Pending;
            }
        }
        Poll::Ready(trace.best)
    }

    /// A formula that leads back to itself is skipped: a way that grants never needs one.
    fn explain_formula(&mut self, formula: Formula, trace: &mut Trace) -> Poll<()> {
        let Formula { id, object, depth, at } = formula;
        let key = Key::Formula(id, object.with_relation(RelationId::NONE));
        let Some(operand) = self.schema.formula(id) else { return Poll::Ready(()) };
        if self.scratch.explained.contains(&key) {
            return Poll::Ready(());
        }
        let value = self.deferred(Deferred { key, depth, failure: None }).value;
        match value {
            Value::Pending => return Poll::Pending,
            Value::No | Value::Failed(_) if trace.best.nearness >= Nearness::Formula => return Poll::Ready(()),
            Value::Yes | Value::No | Value::Failed(_) => {}
        }
        self.scratch.explained.push(key);
        let way = self.explain_operand(operand, object, depth, trace.level + 1);
        self.scratch.explained.pop();
        way.map(|way| {
            let step = trace.step(StepKind::Formula { userset: object });
            let nearness = if way.nearness == Nearness::Granted { way.nearness } else { Nearness::Formula };
            trace.offer(nearness, at, [step].into_iter().chain(way.steps));
        })
    }

    fn explain_place(&mut self, at: usize, trace: &mut Trace) -> Poll<()> {
        let Place { userset, depth, .. } = trace.places[at];
        if depth == 0 {
            let end = trace.step(StepKind::Failed(Failure::DepthExhausted));
            trace.offer(Nearness::Failed, Some(at), [end]);
            return Poll::Ready(());
        }
        let (namespace, relation) = (userset.namespace(), userset.relation());
        match self.schema.rules(namespace, relation) {
            Rules::Undeclared => {
                let end = trace.step(StepKind::Failed(Failure::UndeclaredRelation { namespace, relation }));
                trace.offer(Nearness::Failed, Some(at), [end]);
                Poll::Ready(())
            }
            Rules::TuplesOnly(accepted) => self.explain_tuples(at, accepted, trace),
            Rules::Declared(definition) => {
                if definition.is_cyclic {
                    let end = trace.step(StepKind::Failed(Failure::CyclicPermits { namespace, relation }));
                    trace.offer(Nearness::Failed, Some(at), [end]);
                }
                if self.explain_tuples(at, &definition.accepted, trace).is_pending() {
                    return Poll::Pending;
                }
                self.explain_alternatives(&definition.alternatives, userset, depth, Some(at), trace)
            }
        }
    }

    fn explain_tuples(&mut self, at: usize, accepted: &Accepted, trace: &mut Trace) -> Poll<()> {
        let Place { userset, depth, .. } = trace.places[at];
        let subject = self.subject;
        let Poll::Ready(found) = self.relations.tuple(userset, subject) else { return Poll::Pending };
        if let Some(terms) = found.filter(|terms| accepted.admits(subject, terms.condition)) {
            let tuple = trace.step(StepKind::Tuple { userset, subject });
            let (nearness, end) = self.explain_terms(&terms);
            let end = end.map(|kind| trace.step(kind));
            trace.offer(nearness, Some(at), [tuple].into_iter().chain(end));
        }
        let mut links = Vec::new();
        let breadth = self.limits.breadth as usize;
        match self.relations.subjects(userset, SubjectKind::Sets, breadth, &mut links) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(false) => {}
            Poll::Ready(true) => {
                let end = trace.step(StepKind::Failed(Failure::BreadthExhausted));
                trace.offer(Nearness::Failed, Some(at), [end]);
            }
        }
        for link in links.into_iter().filter(|it| accepted.admits(it.subject, it.terms.condition)) {
            let kind = StepKind::SubjectSet { userset, set: link.subject };
            self.explain_link(link, link.subject, kind, (Some(at), depth), trace);
        }
        Poll::Ready(())
    }

    /// Whether a tuple counts, and what it ends with if not, or if a condition made it count.
    fn explain_terms(&mut self, terms: &Terms) -> (Nearness, Option<StepKind>) {
        if terms.is_expired(self.now) {
            return (Nearness::Tuple, Some(StepKind::Expired));
        }
        let holds = match self.counts(terms) {
            Value::Yes => Some(true),
            Value::No => Some(false),
            Value::Failed(_) | Value::Pending => None,
        };
        let nearness = if holds == Some(true) { Nearness::Granted } else { Nearness::Tuple };
        (nearness, terms.condition.map(|condition| StepKind::Condition { condition, holds }))
    }

    /// Goes on behind a tuple that counts. Behind one that does not, the subject may still be a member: then this tuple is what
    /// the way lacks.
    fn explain_link(
        &mut self,
        link: Link,
        target: Userset,
        kind: StepKind,
        (at, depth): (Option<usize>, u16),
        trace: &mut Trace,
    ) {
        match self.explain_terms(&link.terms) {
            (Nearness::Granted, _) => trace.add(target, depth - 1, Some((at, kind))),
            (_, end) => {
                if self.members_of(target, depth - 1).value == Value::Yes {
                    let steps = [Some(kind), end].map(|kind| kind.map(|kind| trace.step(kind)));
                    trace.offer(Nearness::Tuple, at, steps.into_iter().flatten());
                }
            }
        }
    }

    fn explain_alternatives(
        &mut self,
        alternatives: &[Alternative],
        object: Userset,
        depth: u16,
        at: Option<usize>,
        trace: &mut Trace,
    ) -> Poll<()> {
        for alternative in alternatives {
            match *alternative {
                Alternative::Has(relation) => {
                    let to = object.with_relation(relation);
                    trace.add(to, depth, Some((at, StepKind::Rewrite { from: object, to })));
                }
                Alternative::Traverse { relation, target } => {
                    let through = object.with_relation(relation);
                    let accepted = self.schema.accepted(through.namespace(), through.relation());
                    let mut links = Vec::new();
                    let limit = self.limits.steps as usize;
                    if self.relations.subjects(through, SubjectKind::Objects, limit, &mut links).is_pending() {
                        return Poll::Pending;
                    }
                    links.retain(|it| accepted.is_some_and(|accepted| accepted.admits(it.subject, it.terms.condition)));
                    for link in links {
                        let to = link.subject.with_relation(target);
                        self.explain_link(link, to, StepKind::Traverse { through, to }, (at, depth), trace);
                    }
                }
                Alternative::Formula(id) => trace.formulas.push(Formula { id, object, depth, at }),
            }
        }
        Poll::Ready(())
    }

    fn explain_operand(&mut self, operand: &Operand, object: Userset, depth: u16, level: u16) -> Poll<Way> {
        let one = |nearness, kind| Way { nearness, steps: vec![Step { level, kind }] };
        let object_itself = object.with_relation(RelationId::NONE);
        if level >= MAX_LEVEL {
            return Poll::Ready(one(Nearness::Failed, StepKind::Failed(Failure::NestingExhausted)));
        }
        match operand {
            Operand::Has(relation) => self.explain_userset(object.with_relation(*relation), depth, level),
            Operand::Union(alternatives) => {
                let mut trace = new_trace(object_itself, level);
                match self.explain_alternatives(alternatives, object, depth, None, &mut trace) {
                    Poll::Ready(()) => self.follow_trace(trace),
                    Poll::Pending => Poll::Pending,
                }
            }
            Operand::All(operands) => self.explain_all(operands, object, depth, level),
            Operand::Meets(condition) => {
                let holds = match self.meets(*condition) {
                    Value::Yes => Some(true),
                    Value::No => Some(false),
                    Value::Failed(_) | Value::Pending => None,
                };
                let nearness = if holds == Some(true) { Nearness::Granted } else { Nearness::Tuple };
                Poll::Ready(one(nearness, StepKind::Condition { condition: *condition, holds }))
            }
            Operand::Not(inner) => match self.operand(inner, object, depth).value {
                Value::Pending => Poll::Pending,
                Value::No => Poll::Ready(one(Nearness::Granted, StepKind::NotExcluded { object: object_itself })),
                Value::Failed(failure) => Poll::Ready(one(Nearness::Failed, StepKind::Failed(failure))),
                Value::Yes => self.explain_operand(inner, object, depth, level + 1).map(|reason| {
                    let mut way = one(Nearness::Formula, StepKind::Excluded { object: object_itself });
                    way.steps.extend(reason.steps);
                    way
                }),
            },
        }
    }

    /// All operands if they hold and each has a way of its own, otherwise the first without one. An operand that leads back to
    /// the formula holds if another alternative grants, and is no part of that way.
    fn explain_all(&mut self, operands: &[Operand], object: Userset, depth: u16, level: u16) -> Poll<Way> {
        let mut all = Way { nearness: Nearness::Granted, steps: Vec::new() };
        for operand in operands {
            let value = self.operand(operand, object, depth).value;
            if value == Value::Pending {
                return Poll::Pending;
            }
            let Poll::Ready(way) = self.explain_operand(operand, object, depth, level) else { return Poll::Pending };
            if value != Value::Yes || way.nearness < Nearness::Granted {
                return Poll::Ready(way);
            }
            all.steps.extend(way.steps);
        }
        Poll::Ready(all)
    }
}

fn new_trace(userset: Userset, level: u16) -> Trace {
    let steps = vec![Step { level, kind: StepKind::NoTuple { userset } }];
    let best = Way { nearness: Nearness::Nothing, steps };
    Trace { level, places: Vec::new(), queue: VecDeque::new(), seen: IdSet::default(), formulas: Vec::new(), best }
}
