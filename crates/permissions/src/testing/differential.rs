//! Compares every reader in memory with the reference on random models and tuples.
//!
//! For each case, for every subject and every userset:
//! - an answer that the reference has is found, by every reader, cold and with what was remembered;
//! - a "yes" or "no" under small limits is that of the reference, and does not depend on the reader and the order of the tuples;
//! - a reader that must fetch answers as the others do, in a bounded number of rounds.

use std::collections::{BTreeSet, HashMap};

use futures_util::FutureExt as _;

use super::conformance::{Answer, Answers, NARROW, Question, Reader as _, WIDE, conform};
use super::generator::{Case, Dice, NOW};
use super::list_reader::{ListReader, subject as intern_subject, userset as intern_userset};
use super::mismatch::{Mismatch, bail};
use super::readers::{InMemory, InRounds};
use super::reference::{Membership, Place, Reference};
use super::reverse_differential::Reverse;
use super::store::Store;
use super::stratification::unstratified;
use crate::domain::evaluation::Limits;
use crate::domain::graph::Graph;
use crate::domain::ids::{NamespaceId, RelationId, Userset};
use crate::domain::names::Names;
use crate::domain::relation_tuple::Subject;
use crate::domain::schema::Schema;
use crate::domain::symbols::Symbols;

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

    pub(super) fn count(&mut self, questions: &[&Question], answers: &[Answer]) {
        for (question, answer) in questions.iter().zip(answers) {
            self.questions += 1;
            self.yes += u64::from(*answer == Ok(true));
            self.failures += u64::from(answer.is_err());
            self.unresolved += u64::from(answer.is_err() && question.expected != Membership::Failure);
        }
    }
}

/// A case in the numbers of each reader.
pub(super) struct Prepared<'c> {
    case: &'c Case,
    reference: Reference<'c>,
    /// Those that depend on their own negation.
    unstratified: BTreeSet<Place>,
    schema: Schema,
    symbols: Symbols,
    list: ListReader,
    places: HashMap<Place, Userset>,
    subjects: HashMap<Subject, Userset>,
    graph: Graph,
    graph_schema: Schema,
}

/// Compares the case of one seed for at most this number of its subjects, which are chosen by chance.
pub fn compare(seed: u64, subjects: usize) -> Result<Compared, Mismatch> {
    let mut dice = Dice::new(seed);
    let case = Case::random(&mut dice);
    let compared = compare_case(&case, subjects, &mut dice).now_or_never();
    let compared = compared.unwrap_or_else(|| bail!("a reader in memory waits"));
    compared.map_err(|it| it.at(format!("seed {seed}, {subjects} subjects: {case:#?}")))
}

async fn compare_case(case: &Case, subjects: usize, dice: &mut Dice) -> Result<Compared, Mismatch> {
    let mut prepared = Prepared::new(case)?;
    let mut compared = Compared { cases: 1, ..Compared::default() };
    let mut chosen = case.subjects();
    if subjects < chosen.len() {
        dice.shuffle(&mut chosen);
        chosen.truncate(subjects);
    }
    for subject in chosen {
        let questions = prepared.questions(&subject);
        let questions: Vec<&Question> = questions.iter().collect();
        let depth = 1 + u16::try_from(dice.below(4))?;
        let in_list = prepared.in_list(&questions, depth, dice).await?;
        compared.count(&questions, &in_list.all);
        prepared.in_graph(&questions, depth, dice).await?.are_those_of(&in_list, &questions)?;
        prepared.reverse(&questions, &in_list.all, dice)?;
        prepared.in_rounds(&questions, &in_list, depth, &mut compared, dice).await?;
    }
    Ok(compared)
}

impl<'c> Prepared<'c> {
    pub(super) fn new(case: &'c Case) -> Result<Self, Mismatch> {
        let reference = Reference::new(&case.model, case.strict, &case.tuples, NOW);
        let unstratified = unstratified(case, reference.places());
        let (mut symbols, mut names) = (Symbols::default(), Names::default());
        let schema = Schema::compile(&case.model, &mut symbols, case.strict)?;
        let list = ListReader::new(&case.tuples, &mut symbols, &mut names)?;
        let mut places = HashMap::new();
        for place in reference.places() {
            let userset = intern_userset(&place.namespace, &place.object, &place.relation, &mut symbols, &mut names)?;
            places.insert(place.clone(), userset);
        }
        let mut subjects = HashMap::new();
        for subject in case.subjects() {
            let number = intern_subject(&subject, &mut symbols, &mut names)?;
            subjects.insert(subject, number);
        }
        let mut graph = Graph::default();
        let graph_schema = Schema::compile(&case.model, graph.symbols_mut(), case.strict)?;
        for stored in &case.tuples {
            graph.insert(stored)?;
        }
        Ok(Self { case, reference, unstratified, schema, symbols, list, places, subjects, graph, graph_schema })
    }

    /// Whether the subject is a member of each userset.
    pub(super) fn questions(&self, subject: &Subject) -> Vec<Question> {
        let question = |(place, expected): (Place, Membership)| {
            let is_unstratified = self.unstratified.contains(&place);
            Question { place, subject: subject.clone(), expected, is_unstratified }
        };
        self.reference.memberships(subject).into_iter().map(question).collect()
    }

    /// The tuples in their order, then in another one.
    pub(super) async fn in_list(
        &mut self,
        questions: &[&Question],
        depth: u16,
        dice: &mut Dice,
    ) -> Result<Answers, Mismatch> {
        let (places, subjects) = (&self.places, &self.subjects);
        let number = |question: &Question| (places[&question.place], subjects[&question.subject]);
        let (schema, symbols, number) = (&self.schema, &self.symbols, &number);
        let relations = &mut self.list;
        let mut reader = InMemory { name: "the list", schema, symbols, number, relations };
        let answers = conform(&mut reader, questions, depth, dice).await?;
        let order = reader.relations.tuples.clone();
        dice.shuffle(&mut reader.relations.tuples);
        let shallow = reader.alone(questions, Limits { depth, ..WIDE }).await?;
        let narrow = reader.alone(questions, Limits { depth, breadth: NARROW, ..WIDE }).await?;
        let shuffled = Answers { all: answers.all.clone(), shallow, narrow };
        shuffled.are_those_of(&answers, questions).map_err(|it| it.at("the tuples in another order"))?;
        self.list.tuples = order;
        Ok(answers)
    }

    async fn in_graph(&self, questions: &[&Question], depth: u16, dice: &mut Dice) -> Result<Answers, Mismatch> {
        let (schema, symbols, relations) = (&self.graph_schema, self.graph.symbols(), self.graph.at(NOW));
        let number = &|question: &Question| self.in_graph_numbers(question);
        let mut reader = InMemory { name: "the graph", schema, symbols, number, relations };
        conform(&mut reader, questions, depth, dice).await
    }

    async fn in_rounds(
        &self,
        questions: &[&Question],
        in_list: &Answers,
        depth: u16,
        compared: &mut Compared,
        dice: &mut Dice,
    ) -> Result<(), Mismatch> {
        let number = &|question: &Question| self.in_graph_numbers(question);
        let (graph, schema) = (&self.graph, &self.graph_schema);
        let mut reader = InRounds { graph, schema, number, most_rounds: 0, reads: 0 };
        let from = dice.below(7);
        let some = |answers: &[Answer]| answers.iter().copied().skip(from).step_by(7).collect();
        let questions: Vec<&Question> = questions.iter().copied().skip(from).step_by(7).collect();
        let expected =
            Answers { all: some(&in_list.all), shallow: some(&in_list.shallow), narrow: some(&in_list.narrow) };
        conform(&mut reader, &questions, depth, dice).await?.are_those_of(&expected, &questions)?;
        compared.most_rounds = compared.most_rounds.max(reader.most_rounds);
        compared.reads += reader.reads;
        if questions.is_empty() {
            return Ok(());
        }
        let (place, subject) = self.in_graph_numbers(questions[dice.below(questions.len())]);
        let store = Store { graph, schema, limits: WIDE };
        Reverse { graph, schema, limits: WIDE }.in_rounds(&store, place, subject)
    }

    fn in_graph_numbers(&self, question: &Question) -> (Userset, Userset) {
        let Place { namespace, object, relation } = &question.place;
        (self.graph.find(namespace, object, relation), self.graph.find_subject(&question.subject))
    }

    fn reverse(&self, questions: &[&Question], answers: &[Answer], dice: &mut Dice) -> Result<(), Mismatch> {
        let reverse = Reverse { graph: &self.graph, schema: &self.graph_schema, limits: WIDE };
        let numbers: Vec<_> = questions.iter().map(|question| self.in_graph_numbers(question)).collect();
        let Some((_, subject)) = numbers.first().copied() else { return Ok(()) };
        let places: Vec<Userset> = numbers.iter().map(|(place, _)| *place).collect();
        let answered = places.iter().zip(answers);
        let allowed: BTreeSet<Userset> =
            answered.filter(|(_, answer)| **answer == Ok(true)).map(|(place, _)| *place).collect();
        reverse.objects(subject, &places, &allowed)?;
        let place = *dice.pick(&places);
        reverse.actions(place.with_relation(RelationId::NONE), subject, &allowed)?;
        let mut kinds = BTreeSet::from([(NamespaceId::IDS, RelationId::NONE)]);
        self.graph.for_each(|_, it| {
            kinds.insert((it.namespace(), it.relation()));
            true
        });
        reverse.subjects(place, &kinds)
    }

    pub(super) fn case(&self) -> &'c Case {
        self.case
    }
}
