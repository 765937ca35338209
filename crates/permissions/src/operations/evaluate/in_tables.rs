//! Asks the tables, in rounds.
//!
//! An evaluation asks for everything that it lacks; all of that is read by one statement, and the evaluation begins again with
//! what was found. The number of statements is that of the levels of the answer, not that of its tuples.
//!
//! Each statement also reads the present snapshot. When it has changed since the last round, everything that was read before is read
//! again, by one statement: so an answer has one snapshot, and each further level costs at most two statements, however many
//! changes there are.

use std::task::Poll;

use base::Context;
use database::Database;

use super::{Answered, Asking, EvaluateError, Numbers, Question};
use crate::domain::evaluation::rounds::{Found, Read, Rounds};
use crate::domain::evaluation::{Evaluator, EvaluatorParts, Link, Scratch, SubjectKind, Terms};
use crate::domain::ids::{SubjectNumber, Userset};
use crate::domain::names::Names;
use crate::domain::relation_tuple::{RelationTuple, Subject, SubjectSet};
use crate::domain::request_conditions::RequestConditions;
use crate::domain::snapshot::Snapshot;
use crate::domain::symbols::Symbols;
use crate::domain::tuple_key::TupleKey;
use crate::operations::shared_answers::MOST_TUPLES;
use crate::storage::reads::{self, Answers, ObjectRelation, Reads};
use crate::storage::state;

/// More rounds than any evaluation within its limits needs. Each round answers at least one read.
const MOST_ROUNDS: usize = 10_000;

pub(in crate::operations) async fn ask<Q: Question>(
    database: &Database,
    cx: &Context,
    asking: &Asking<'_>,
    question: &Q,
) -> Result<Answered<Q::Answer>, EvaluateError> {
    let model = asking.model;
    let mut tables = Tables {
        symbols: model.symbols.clone(),
        rounds: Rounds::default(),
        answered: Vec::new(),
        tuples: 0,
        snapshot: None,
    };
    let numbered = question.number(&mut tables)?;
    for _ in 0..MOST_ROUNDS {
        let asked = {
            let mut conditions = RequestConditions::new(&model.conditions, asking.context, cx.now);
            let parts = EvaluatorParts {
                schema: &model.schema,
                relations: &mut tables.rounds,
                conditions: &mut conditions,
                scratch: &mut Scratch::default(),
                limits: asking.limits,
                now: cx.now,
            };
            question.ask(&numbered, &mut Evaluator::new(parts))
        };
        if let Poll::Ready(found) = asked {
            let snapshot = match tables.snapshot {
                Some(snapshot) => snapshot,
                // The answer follows from the model.
                None => state::snapshot(&mut database.read(cx.tenant)).await?,
            };
            return Ok(Answered { answer: question.present(found, &tables), snapshot });
        }
        let missing = tables.rounds.take_missing();
        if missing.is_empty() {
            break;
        }
        read_missing(database, cx, &mut tables, missing).await?;
    }
    Err(EvaluateError::Endless)
}

async fn read_missing(
    database: &Database,
    cx: &Context,
    tables: &mut Tables,
    missing: Vec<Read>,
) -> Result<(), EvaluateError> {
    let (places, answers) = perform(database, cx, tables, &missing).await?;
    if tables.snapshot.is_none_or(|snapshot| snapshot == answers.snapshot) {
        return tables.keep(&missing, &places, &answers);
    }
    // All of it at once is of one snapshot, whichever that is.
    let mut all = std::mem::take(&mut tables.answered);
    all.extend(missing);
    tables.rounds.forget();
    tables.tuples = 0;
    let (places, answers) = perform(database, cx, tables, &all).await?;
    tables.keep(&all, &places, &answers)
}

async fn perform(
    database: &Database,
    cx: &Context,
    tables: &Tables,
    reads: &[Read],
) -> Result<(Vec<Place>, Answers), EvaluateError> {
    let mut asked = Reads { most: Some(MOST_TUPLES.saturating_sub(tables.tuples)), ..Reads::default() };
    let places = reads.iter().map(|read| place(tables, *read, &mut asked)).collect::<Result<Vec<_>, _>>()?;
    let answers = reads::perform(&mut database.read(cx.tenant), &asked, cx.now).await?;
    if answers.is_cut { Err(EvaluateError::TooManyTuples) } else { Ok((places, answers)) }
}

/// The numbers and the answers of one request.
struct Tables {
    symbols: Symbols,
    rounds: Rounds,
    /// The reads that were answered at `snapshot`.
    answered: Vec<Read>,
    /// How many tuples these found.
    tuples: u32,
    snapshot: Option<Snapshot>,
}

impl Tables {
    fn keep(&mut self, reads: &[Read], places: &[Place], answers: &Answers) -> Result<(), EvaluateError> {
        for (read, place) in reads.iter().zip(places) {
            let found = found(self, answers, place)?;
            self.rounds.answer(*read, found);
        }
        self.answered.extend_from_slice(reads);
        self.tuples = self.tuples.saturating_add(answers.count);
        self.snapshot = Some(answers.snapshot);
        Ok(())
    }
}

impl Numbers for Tables {
    fn userset(&mut self, namespace: &str, object: &str, relation: &str) -> Result<Userset, EvaluateError> {
        let namespace = self.symbols.intern_namespace(namespace)?;
        let relation = self.symbols.intern_relation(relation)?;
        Ok(Userset::new(namespace, self.rounds.names().intern(object)?, relation))
    }

    fn subject(&mut self, subject: &Subject) -> Result<SubjectNumber, EvaluateError> {
        match subject {
            Subject::Id(id) => Ok(Userset::id(self.rounds.names().intern(id)?)),
            Subject::Set(SubjectSet { namespace, object, relation }) => self.userset(namespace, object, relation),
        }
    }

    fn subject_of(&self, number: SubjectNumber) -> Subject {
        let object = self.rounds.known_names().name(number.name()).to_owned();
        if number.is_id() {
            return Subject::Id(object);
        }
        let namespace = self.symbols.namespace_name(number.namespace()).to_owned();
        Subject::Set(SubjectSet {
            namespace,
            object,
            relation: self.symbols.relation_name(number.relation()).to_owned(),
        })
    }

    fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    fn names(&self) -> &Names {
        self.rounds.known_names()
    }
}

/// Which list of the statement answers a read, and the position in it.
enum Place {
    Tuple(usize),
    Subjects(SubjectKind, usize, usize),
}

fn place(tables: &Tables, read: Read, asked: &mut Reads) -> Result<Place, EvaluateError> {
    let object_relation = |userset: Userset| match tables.subject_of(userset) {
        Subject::Set(SubjectSet { namespace, object, relation }) => ObjectRelation(namespace, object, relation),
        // No tuple has the empty namespace.
        Subject::Id(id) => ObjectRelation(String::new(), id, String::new()),
    };
    match read {
        Read::Tuple { userset, subject } => {
            let ObjectRelation(namespace, object, relation) = object_relation(userset);
            let tuple = RelationTuple { namespace, object, relation, subject: tables.subject_of(subject) };
            asked.tuples.push(TupleKey::from(&tuple));
            Ok(Place::Tuple(asked.tuples.len() - 1))
        }
        Read::Subjects { userset, kind, limit } => {
            let of = object_relation(userset);
            let [of_sets, of_objects, of_subjects] = &mut asked.limits;
            let (list, most) = match kind {
                SubjectKind::All => (&mut asked.subjects, of_subjects),
                SubjectKind::Sets => (&mut asked.sets, of_sets),
                SubjectKind::Objects => (&mut asked.objects, of_objects),
            };
            list.push(of);
            let position = list.len() - 1;
            // One more shows that there are more.
            *most = (*most).max(u32::try_from(limit).unwrap_or(u32::MAX - 1).saturating_add(1));
            Ok(Place::Subjects(kind, position, limit))
        }
        // Only reverse questions ask for these, and they are answered from memory.
        _ => Err(EvaluateError::Endless),
    }
}

fn found(tables: &mut Tables, answers: &Answers, place: &Place) -> Result<Found, EvaluateError> {
    match place {
        Place::Tuple(position) => {
            let terms = answers.tuples.get(*position).cloned().flatten();
            Ok(Found::Tuple(terms.map(|terms| terms_of(tables, &terms)).transpose()?))
        }
        Place::Subjects(kind, position, limit) => {
            let list = match kind {
                SubjectKind::All => &answers.subjects,
                SubjectKind::Sets => &answers.sets,
                SubjectKind::Objects => &answers.objects,
            };
            let subjects = list.get(*position).map_or(&[][..], Vec::as_slice);
            let mut links = Vec::with_capacity(subjects.len().min(*limit));
            for (subject, terms) in subjects.iter().take(*limit) {
                links.push(Link { subject: tables.subject(subject)?, terms: terms_of(tables, terms)? });
            }
            Ok(Found::Links { links, has_more: subjects.len() > *limit })
        }
    }
}

fn terms_of(tables: &mut Tables, terms: &reads::StoredTerms) -> Result<Terms, EvaluateError> {
    let mut found = Terms { expires_at: terms.expires_at, ..Terms::default() };
    if let Some(condition) = &terms.condition {
        found.condition = Some(tables.symbols.intern_condition(&condition.name)?);
        found.context = condition.context.as_deref().map(|context| tables.rounds.keep_context(context));
    }
    Ok(found)
}
