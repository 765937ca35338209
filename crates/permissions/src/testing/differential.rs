//! Compares every reader with the reference on random models and tuples.
//!
//! For each case, for every subject and every userset:
//! - an answer that the reference has is found, by every reader, cold and with what was remembered;
//! - a "yes" or "no" under small limits is that of the reference, and does not depend on the order of the tuples;
//! - a reader that must fetch answers as the others do, in a bounded number of rounds.

use std::collections::{BTreeMap, BTreeSet};
use std::task::Poll;

use super::generator::{Case, Dice, NOW};
use super::list_reader::{ListReader, TestConditions, subject as intern_subject, userset as intern_userset};
use super::mismatch::{Mismatch, bail, ensure};
use super::reference::{Membership, Place, Reference};
use super::reverse_differential::Reverse;
use super::store::{Answered, Store};
use super::stratification::unstratified;
use crate::domain::evaluation::explain::{Explanation, Step, StepKind};
use crate::domain::evaluation::{Evaluator, Failure, Limits, Parts, Relations, Scratch};
use crate::domain::graph::Graph;
use crate::domain::ids::{NamespaceId, RelationId, Subject, Userset};
use crate::domain::names::Names;
use crate::domain::relation_tuple;
use crate::domain::schema::Schema;
use crate::domain::symbols::Symbols;

/// Limits that no case of the generator reaches.
pub const WIDE: Limits = Limits { depth: 1000, breadth: 10_000, steps: 10_000_000 };

pub type Answer = Result<bool, Failure>;

/// What was compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compared {
    pub cases: u64,
    pub questions: u64,
    pub yes: u64,
    pub failures: u64,
    /// Failures that the reference does not have.
    pub unresolved: u64,
    pub most_rounds: usize,
    pub reads: u64,
}

impl Compared {
    pub fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.questions += other.questions;
        self.yes += other.yes;
        self.failures += other.failures;
        self.unresolved += other.unresolved;
        self.most_rounds = self.most_rounds.max(other.most_rounds);
        self.reads += other.reads;
    }
}

/// A case as numbers.
struct Prepared<'c> {
    case: &'c Case,
    reference: Reference<'c>,
    schema: Schema,
    symbols: Symbols,
    list: ListReader,
    /// The graph, its schema, and the numbers that it gave to the usersets.
    graph: Graph,
    graph_schema: Schema,
    graph_places: Vec<Userset>,
    places: Vec<(Place, Userset)>,
    subjects: Vec<(relation_tuple::Subject, Subject)>,
}

/// Compares the case of one seed.
pub fn compare(seed: u64) -> Result<Compared, Mismatch> {
    let mut dice = Dice::new(seed);
    let case = Case::random(&mut dice);
    compare_case(&case, &mut dice).map_err(|it| it.at(format!("seed {seed}: {case:#?}")))
}

fn compare_case(case: &Case, dice: &mut Dice) -> Result<Compared, Mismatch> {
    let mut prepared = Prepared::new(case)?;
    let mut compared = Compared { cases: 1, ..Compared::default() };
    let unstratified = unstratified(case, prepared.reference.places());
    for index in 0..prepared.subjects.len() {
        let (name, subject) = prepared.subjects[index].clone();
        let expected = prepared.reference.memberships(&name);
        let answers = prepared.ask_list(subject, WIDE);
        for ((place, _), answer) in prepared.places.iter().zip(&answers) {
            let membership = expected.get(place).ok_or_else(|| Mismatch(format!("the reference lacks {place:?}")))?;
            check(*membership, *answer, unstratified.contains(place))
                .map_err(|it| it.at(format!("{place:?} for {name:?}")))?;
            compared.questions += 1;
            compared.yes += u64::from(*answer == Ok(true));
            compared.failures += u64::from(answer.is_err());
            compared.unresolved += u64::from(answer.is_err() && *membership != Membership::Failure);
        }
        prepared.in_graph(&name, &answers, dice)?;
        prepared.remembered(subject, &answers, dice)?;
        prepared.explained(subject, &answers, dice)?;
        prepared.in_rounds(&name, &answers, &mut compared, dice)?;
        prepared.with_small_limits(subject, &expected, dice)?;
    }
    Ok(compared)
}

/// A "yes" or "no" is that of the reference. A failure is one of the reference, or a circle with a negation that the evaluation
/// does not resolve although the reference does.
fn check(expected: Membership, answer: Answer, is_unstratified: bool) -> Result<(), Mismatch> {
    let agrees = match (expected, answer) {
        (Membership::Yes, Ok(true)) | (Membership::No, Ok(false)) | (Membership::Failure, Err(_)) => true,
        (_, Err(failure)) => is_unstratified && failure == Failure::DependsOnOwnNegation,
        _ => false,
    };
    ensure!(agrees, "expected {expected:?}, got {answer:?}");
    Ok(())
}

impl<'c> Prepared<'c> {
    fn new(case: &'c Case) -> Result<Self, Mismatch> {
        let reference = Reference::new(&case.model, case.strict, &case.tuples, NOW);
        let (mut symbols, mut names) = (Symbols::default(), Names::default());
        let schema = Schema::compile(&case.model, &mut symbols, case.strict)?;
        let list = ListReader::new(&case.tuples, &mut symbols, &mut names)?;
        let mut places = Vec::new();
        for place in reference.places() {
            let userset = intern_userset(&place.namespace, &place.object, &place.relation, &mut symbols, &mut names)?;
            places.push((place.clone(), userset));
        }
        let mut subjects = Vec::new();
        for subject in case.subjects() {
            let number = intern_subject(&subject, &mut symbols, &mut names)?;
            subjects.push((subject, number));
        }
        let mut graph = Graph::default();
        let graph_schema = Schema::compile(&case.model, graph.symbols_mut(), case.strict)?;
        for stored in &case.tuples {
            graph.insert(stored)?;
        }
        let mut graph_places = Vec::new();
        for place in reference.places() {
            graph_places.push(graph.find(&place.namespace, &place.object, &place.relation));
        }
        Ok(Self { case, reference, schema, symbols, list, graph, graph_schema, graph_places, places, subjects })
    }

    fn list(&mut self, limits: Limits) -> Answerer<'_, &mut ListReader> {
        Answerer { schema: &self.schema, symbols: &self.symbols, relations: &mut self.list, limits }
    }

    fn ask_list(&mut self, subject: Subject, limits: Limits) -> Vec<Answer> {
        let usersets: Vec<Userset> = self.places.iter().map(|(_, userset)| *userset).collect();
        self.list(limits).cold(&usersets, subject)
    }

    fn in_graph(
        &mut self,
        subject: &relation_tuple::Subject,
        expected: &[Answer],
        dice: &mut Dice,
    ) -> Result<(), Mismatch> {
        let subject = self.graph.find_subject(subject);
        let (schema, symbols, relations) = (&self.graph_schema, self.graph.symbols(), self.graph.at(NOW));
        let answers = Answerer { schema, symbols, relations, limits: WIDE }.cold(&self.graph_places, subject);
        for ((place, answer), expected) in self.places.iter().zip(answers).zip(expected) {
            ensure!(is_same(answer, *expected), "{:?}: {answer:?} in the graph, {expected:?} in the list", place.0);
        }
        self.reverse(subject, expected, dice)
    }

    fn reverse(&self, subject: Subject, expected: &[Answer], dice: &mut Dice) -> Result<(), Mismatch> {
        let reverse = Reverse { graph: &self.graph, schema: &self.graph_schema, limits: WIDE };
        let answers = self.graph_places.iter().zip(expected);
        let allowed: BTreeSet<Userset> = answers.filter(|(_, it)| **it == Ok(true)).map(|(place, _)| *place).collect();
        reverse.objects(subject, &self.graph_places, &allowed)?;
        let place = *dice.pick(&self.graph_places);
        reverse.actions(place.with_relation(RelationId::NONE), subject, &allowed)?;
        let mut kinds = BTreeSet::from([(NamespaceId::IDS, RelationId::NONE)]);
        self.graph.for_each(|_, it| {
            kinds.insert((it.namespace(), it.relation()));
            true
        });
        reverse.subjects(place, &kinds)
    }

    /// The same questions in another order to one evaluator, which remembers.
    fn remembered(&mut self, subject: Subject, expected: &[Answer], dice: &mut Dice) -> Result<(), Mismatch> {
        let mut order: Vec<usize> = (0..self.places.len()).collect();
        dice.shuffle(&mut order);
        let usersets: Vec<Userset> = order.iter().map(|index| self.places[*index].1).collect();
        let answers = self.list(WIDE).warm(&usersets, subject);
        for (index, answer) in order.iter().zip(answers) {
            let same = is_same(answer, expected[*index]);
            ensure!(
                same,
                "{:?}: {answer:?} after other questions, {:?} alone",
                self.places[*index].0,
                expected[*index]
            );
        }
        Ok(())
    }

    /// The explanation has the same answer; that of a "yes" consists of tuples that exist and of nothing that fails.
    fn explained(&mut self, subject: Subject, expected: &[Answer], dice: &mut Dice) -> Result<(), Mismatch> {
        for index in (dice.below(5)..expected.len()).step_by(5) {
            let userset = self.places[index].1;
            let found = self.list(WIDE).evaluator(&mut Scratch::default(), |it| it.explain(userset, subject));
            let Poll::Ready(Explanation { answer, steps }) = found else { bail!("pending in the list") };
            let place = &self.places[index].0;
            ensure!(
                is_same(answer, expected[index]) && !steps.is_empty(),
                "{place:?}: {answer:?} explained, {steps:?}"
            );
            if answer == Ok(true) {
                let exists = |step: &Step| step_holds(step.kind, &mut self.list);
                ensure!(steps.iter().all(exists), "{place:?} is granted, but not by {steps:?}");
            }
        }
        Ok(())
    }

    fn in_rounds(
        &mut self,
        name: &relation_tuple::Subject,
        expected: &[Answer],
        compared: &mut Compared,
        dice: &mut Dice,
    ) -> Result<(), Mismatch> {
        let subject = self.graph.find_subject(name);
        let store = Store { graph: &self.graph, schema: &self.graph_schema };
        for index in (dice.below(7)..expected.len()).step_by(7) {
            let userset = self.graph_places[index];
            let Answered { answer, rounds, reads } = store.ask(|evaluator| evaluator.check(userset, subject))?;
            compared.most_rounds = compared.most_rounds.max(rounds);
            compared.reads += reads as u64;
            let place = &self.places[index].0;
            ensure!(is_same(answer, expected[index]), "{place:?}: {answer:?} in rounds, {:?} at once", expected[index]);
        }
        let reverse = Reverse { graph: &self.graph, schema: &self.graph_schema, limits: WIDE };
        reverse.in_rounds(&store, *dice.pick(&self.graph_places), subject)
    }

    fn with_small_limits(
        &mut self,
        subject: Subject,
        expected: &BTreeMap<Place, Membership>,
        dice: &mut Dice,
    ) -> Result<(), Mismatch> {
        let depth = 1 + u16::try_from(dice.below(4))?;
        let limits = Limits { depth, breadth: 1 + u32::try_from(dice.below(30))?, steps: 1_000_000 };
        let answers = self.ask_list(subject, limits);
        for ((place, _), answer) in self.places.iter().zip(&answers) {
            let decided = match expected[place] {
                Membership::Yes => Ok(true),
                Membership::No => Ok(false),
                Membership::Failure => continue,
            };
            ensure!(answer.is_err() || *answer == decided, "{place:?} with {limits:?}: {answer:?}, not {decided:?}");
        }
        if limits.breadth as usize >= self.case.tuples.len() {
            let order: Vec<_> = self.list.tuples.clone();
            dice.shuffle(&mut self.list.tuples);
            let shuffled = self.ask_list(subject, limits);
            self.list.tuples = order;
            for (index, (one, other)) in answers.iter().zip(&shuffled).enumerate() {
                ensure!(is_same(*one, *other), "{:?} depends on order: {one:?}, {other:?}", self.places[index].0);
            }
        }
        Ok(())
    }
}

/// What answers the questions: a reader, and the schema and conditions that use its numbers.
struct Answerer<'a, R> {
    schema: &'a Schema,
    symbols: &'a Symbols,
    relations: R,
    limits: Limits,
}

impl<R: Relations> Answerer<'_, R> {
    /// Asks a fresh evaluator every question.
    fn cold(&mut self, usersets: &[Userset], subject: Subject) -> Vec<Answer> {
        let mut scratch = Scratch::default();
        let ask = |userset: &Userset| self.evaluator(&mut scratch, |it| answer(it.check(*userset, subject)));
        usersets.iter().map(ask).collect()
    }

    /// Asks one evaluator, which remembers.
    fn warm(&mut self, usersets: &[Userset], subject: Subject) -> Vec<Answer> {
        self.evaluator(&mut Scratch::default(), |evaluator| {
            evaluator.remember_answers();
            usersets.iter().map(|userset| answer(evaluator.check(*userset, subject))).collect()
        })
    }

    fn evaluator<T>(
        &mut self,
        scratch: &mut Scratch,
        ask: impl FnOnce(&mut Evaluator<'_, R, TestConditions<'_>>) -> T,
    ) -> T {
        let conditions = &mut TestConditions(self.symbols);
        let (schema, relations, limits) = (self.schema, &mut self.relations, self.limits);
        ask(&mut Evaluator::new(Parts { schema, relations, conditions, scratch, limits, now: NOW }))
    }
}

/// These readers are never pending; if one is, the answer is none that the reference has.
fn answer(answer: Poll<Answer>) -> Answer {
    match answer {
        Poll::Ready(answer) => answer,
        Poll::Pending => Err(Failure::StepsExhausted),
    }
}

/// Whether a step can stand in an explanation of a "yes".
fn step_holds(kind: StepKind, list: &mut ListReader) -> bool {
    match kind {
        StepKind::Tuple { userset, subject } => list.tuple(userset, subject) != Poll::Ready(None),
        StepKind::SubjectSet { userset, set } => list.tuple(userset, set) != Poll::Ready(None),
        StepKind::Traverse { through, to } => {
            let is_same_object = |it: Userset| it.with_relation(to.relation()) == to;
            list.tuples.iter().any(|(of, link)| *of == through && is_same_object(link.subject))
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

/// Failures may differ in their reason: an intersection that ends early has not seen them all.
fn is_same(one: Answer, other: Answer) -> bool {
    one.ok() == other.ok()
}
