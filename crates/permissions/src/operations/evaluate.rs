//! Evaluates questions about relation tuples over the database.
//!
//! An evaluation asks for everything that it lacks; all of that is read by one statement, and the evaluation begins again with
//! what was found. The number of statements is that of the levels of the answer, not that of its tuples.

use std::task::Poll;

use base::Context;

use crate::Permissions;
use crate::components::models::LoadedModel;
use crate::domain::condition::Object;
use crate::domain::evaluation::rounds::{Found, Read, Rounds};
use crate::domain::evaluation::{Evaluator, Limits, Link, Parts, Scratch, SubjectKind, Terms};
use crate::domain::ids::{Subject as SubjectNumber, Userset};
use crate::domain::names::NamesAreFull;
use crate::domain::relation_tuple::{RelationTuple, Subject, SubjectSet};
use crate::domain::request_conditions::RequestConditions;
use crate::domain::symbols::{Symbols, TooManyNames};
use crate::domain::tuple_key::TupleKey;
use crate::storage::reads::{self, Answers, ObjectRelation, Reads};

/// More rounds than any evaluation within its limits needs. Each round answers at least one read.
const MOST_ROUNDS: usize = 10_000;

#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    #[error(transparent)]
    TooManyNames(#[from] TooManyNames),
    #[error(transparent)]
    NamesAreFull(#[from] NamesAreFull),
    #[error("the evaluation did not end")]
    Endless,
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// The numbers and the answers of one request.
pub(super) struct Evaluation<'a> {
    pub(super) model: &'a LoadedModel,
    pub(super) symbols: Symbols,
    pub(super) rounds: Rounds,
    pub(super) limits: Limits,
    pub(super) context: Option<&'a Object>,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(model: &'a LoadedModel, limits: Limits, context: Option<&'a Object>) -> Self {
        Self { model, symbols: model.symbols.clone(), rounds: Rounds::default(), limits, context }
    }

    /// The number of an object with a relation.
    pub(super) fn userset(&mut self, set: &SubjectSet) -> Result<Userset, EvaluateError> {
        let namespace = self.symbols.intern_namespace(&set.namespace)?;
        let relation = self.symbols.intern_relation(&set.relation)?;
        Ok(Userset::new(namespace, self.rounds.names().intern(&set.object)?, relation))
    }

    pub(super) fn subject(&mut self, subject: &Subject) -> Result<SubjectNumber, EvaluateError> {
        match subject {
            Subject::Id(id) => Ok(Userset::id(self.rounds.names().intern(id)?)),
            Subject::Set(set) => self.userset(set),
        }
    }

    /// The subject of a number.
    pub(super) fn subject_of(&mut self, number: SubjectNumber) -> Subject {
        let object = self.rounds.names().name(number.name()).to_owned();
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
}

impl Permissions {
    /// Evaluates until nothing is pending.
    pub(super) async fn evaluate<T>(
        &self,
        cx: &Context,
        evaluation: &mut Evaluation<'_>,
        mut ask: impl FnMut(&mut Evaluator<'_, Rounds, RequestConditions<'_>>) -> Poll<T>,
    ) -> Result<T, EvaluateError> {
        for _ in 0..MOST_ROUNDS {
            let missing = {
                let mut conditions = RequestConditions::new(&evaluation.model.conditions, evaluation.context, cx.now);
                let mut scratch = Scratch::default();
                let parts = Parts {
                    schema: &evaluation.model.schema,
                    relations: &mut evaluation.rounds,
                    conditions: &mut conditions,
                    scratch: &mut scratch,
                    limits: evaluation.limits,
                    now: cx.now,
                };
                if let Poll::Ready(answer) = ask(&mut Evaluator::new(parts)) {
                    return Ok(answer);
                }
                evaluation.rounds.take_missing()
            };
            if missing.is_empty() {
                break;
            }
            self.answer(cx, evaluation, &missing).await?;
        }
        Err(EvaluateError::Endless)
    }
}

/// Which list of the statement answers a read, and the position in it.
enum Place {
    Tuple(usize),
    Subjects(SubjectKind, usize, usize),
}

impl Permissions {
    async fn answer(
        &self,
        cx: &Context,
        evaluation: &mut Evaluation<'_>,
        missing: &[Read],
    ) -> Result<(), EvaluateError> {
        let mut asked = Reads::default();
        let mut places = Vec::with_capacity(missing.len());
        for read in missing {
            places.push(place(evaluation, *read, &mut asked)?);
        }
        let answers = reads::perform(&mut self.database.read(cx.tenant), &asked, cx.now).await?;
        for (read, place) in missing.iter().zip(places) {
            let found = found(evaluation, &answers, &place)?;
            evaluation.rounds.answer(*read, found);
        }
        Ok(())
    }
}

fn place(evaluation: &mut Evaluation<'_>, read: Read, asked: &mut Reads) -> Result<Place, EvaluateError> {
    let mut object_relation = |userset: Userset| match evaluation.subject_of(userset) {
        Subject::Set(SubjectSet { namespace, object, relation }) => ObjectRelation(namespace, object, relation),
        // No tuple has the empty namespace.
        Subject::Id(id) => ObjectRelation(String::new(), id, String::new()),
    };
    match read {
        Read::Tuple { userset, subject } => {
            let ObjectRelation(namespace, object, relation) = object_relation(userset);
            let tuple = RelationTuple { namespace, object, relation, subject: evaluation.subject_of(subject) };
            asked.tuples.push(TupleKey::from(&tuple));
            Ok(Place::Tuple(asked.tuples.len() - 1))
        }
        Read::Subjects { userset, kind, limit } => {
            let of = object_relation(userset);
            let list = match kind {
                SubjectKind::All => &mut asked.subjects,
                SubjectKind::Sets => &mut asked.sets,
                SubjectKind::Objects => &mut asked.objects,
            };
            list.push(of);
            let position = list.len() - 1;
            // One more shows that there are more.
            asked.limit = asked.limit.max(u32::try_from(limit).unwrap_or(u32::MAX - 1).saturating_add(1));
            Ok(Place::Subjects(kind, position, limit))
        }
        // Only reverse questions ask for these, and they are answered from memory.
        _ => Err(EvaluateError::Endless),
    }
}

fn found(evaluation: &mut Evaluation<'_>, answers: &Answers, place: &Place) -> Result<Found, EvaluateError> {
    match place {
        Place::Tuple(position) => {
            let terms = answers.tuples.get(*position).cloned().flatten();
            Ok(Found::Tuple(terms.map(|terms| terms_of(evaluation, &terms)).transpose()?))
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
                links.push(Link { subject: evaluation.subject(subject)?, terms: terms_of(evaluation, terms)? });
            }
            Ok(Found::Links { links, has_more: subjects.len() > *limit })
        }
    }
}

fn terms_of(evaluation: &mut Evaluation<'_>, terms: &reads::Terms) -> Result<Terms, EvaluateError> {
    let mut found = Terms { expires_at: terms.expires_at, ..Terms::default() };
    if let Some(condition) = &terms.condition {
        found.condition = Some(evaluation.symbols.intern_condition(&condition.name)?);
        found.context = condition.context.as_deref().map(|context| evaluation.rounds.keep_context(context));
    }
    Ok(found)
}
