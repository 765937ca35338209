//! Compares a service on a database with the reference on random models and tuples: the operations that clients call, answered by
//! the tables or from memory.
//!
//! Each case is a tenant of its own beside those of the cases before, whose tuples have the same names.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base::uuid::Uuid;
use base::{Context, ManualClock, RequestId, TenantId};
use database::Database;
use permission_language::{Condition, Namespace};
use serde_json::json;

use super::conformance::{Answer, NARROW, Question, Reader, WIDE, conform};
use super::differential::{Compared, Prepared};
use super::generator::{Case, Dice, NOW};
use super::mismatch::{Mismatch, bail, ensure};
use super::reference::{Membership, Place};
use super::service::service;
use crate::Permissions;
use crate::components::models::loaded::{LoadedModel, Parsed};
use crate::domain::condition::CompiledCondition;
use crate::domain::evaluation::{Failure, Limits};
use crate::domain::ids::{NamespaceId, RelationId};
use crate::domain::relation_tuple::{RelationTuple, Subject, SubjectSet};
use crate::domain::reverse_question::{ReverseQuestion, Sought};
use crate::domain::tuple_changes::{NetChanges, TupleChange};
use crate::operations::EvaluateError;
use crate::operations::check::{CheckError, CheckOptions};
use crate::operations::list_names::{ListError, NameListing, Part};

/// How many questions of a case are asked: most of its thousands have the answer "no".
const YES: usize = 20;
const FAILURES: usize = 15;
const NO: usize = 25;
/// How many questions of a case are asked in the opposite direction.
const REVERSED: usize = 5;
/// How long a graph may take to be loaded or renewed.
const PATIENCE: Duration = Duration::from_secs(30);

const ALL: Part<'static> = Part { after: None, limit: 1_000 };

/// The services that are compared, which share a database.
pub struct Services {
    /// Follows as many subject sets as there are.
    wide: Arc<Permissions>,
    /// Follows [`NARROW`] of them.
    narrow: Arc<Permissions>,
    are_in_memory: bool,
    cases: i32,
}

impl Services {
    /// The tables answer.
    pub fn on_tables(database: &Database) -> Result<Self, Mismatch> {
        Self::new(database, false)
    }

    /// Answered from memory, if the caller runs `follow_changes` of each of [`Self::all`].
    pub fn in_memory(database: &Database) -> Result<Self, Mismatch> {
        Self::new(database, true)
    }

    fn new(database: &Database, are_in_memory: bool) -> Result<Self, Mismatch> {
        let of_breadth = |breadth: u32| {
            let section = json!({
                "namespaces": [],
                "graph": { "enabled": are_in_memory },
                "limit": {
                    "max_read_depth": WIDE.depth, "max_read_width": breadth, "max_batch_check_size": YES + FAILURES + NO,
                },
            });
            service(database, section, "https://read.example/", &ManualClock::starting_at(NOW).clock())
        };
        Ok(Self { wide: of_breadth(WIDE.breadth)?, narrow: of_breadth(NARROW)?, are_in_memory, cases: 0 })
    }

    pub fn all(&self) -> [&Arc<Permissions>; 2] {
        [&self.wide, &self.narrow]
    }

    /// Compares the case of one seed.
    pub async fn compare(&mut self, seed: u64) -> Result<Compared, Mismatch> {
        let mut dice = Dice::new(seed);
        let case = Case::random(&mut dice);
        self.cases += 1;
        let tenant = TenantId::from_i32(TenantId::DEFAULT.as_i32() + self.cases);
        let cx = Context::for_background(NOW, tenant, RequestId(Uuid::nil()));
        let compared = self.compare_case(&cx, &case, &mut dice).await;
        compared.map_err(|it| it.at(format!("seed {seed}: {case:#?}")))
    }

    async fn compare_case(&self, cx: &Context, case: &Case, dice: &mut Dice) -> Result<Compared, Mismatch> {
        let mut prepared = Prepared::new(case)?;
        self.write(cx, case).await?;
        let questions = some_questions(&prepared, dice);
        let questions: Vec<&Question> = questions.iter().collect();
        let depth = 1 + u16::try_from(dice.below(4))?;
        let in_list = prepared.in_list(&questions, depth, dice).await?;
        let mut reader = InService { services: self, cx };
        conform(&mut reader, &questions, depth, dice).await?.are_those_of(&in_list, &questions)?;
        for question in questions.iter().filter(|it| it.expected == Membership::Yes).take(REVERSED) {
            self.reverse(cx, &prepared, question).await.map_err(|it| it.at(format!("{question:?}")))?;
        }
        let mut compared = Compared { cases: 1, ..Compared::default() };
        compared.count(&questions, &in_list.all);
        Ok(compared)
    }

    /// The tuples of a case, also those that the model no longer accepts.
    async fn write(&self, cx: &Context, case: &Case) -> Result<(), Mismatch> {
        // It creates the row of the tenant.
        self.wide.tokens.sealer(cx).await?;
        let inserts: Vec<_> = case.tuples.iter().cloned().map(TupleChange::Insert).collect();
        let snapshot = self.wide.writes.write(cx, NetChanges::of(&inserts)).await?;
        for service in self.all() {
            let compile = |it: &Condition| CompiledCondition::compile(it.name.as_str(), &it.expression).map(Arc::new);
            let conditions = case.model.conditions.iter().map(compile).collect::<Result<_, _>>()?;
            let parsed = Parsed { model: case.model.clone(), conditions };
            service.models.put_in_force(LoadedModel::compile(parsed, case.strict).map_err(Mismatch)?);
            if self.are_in_memory {
                service.graphs.acknowledge(cx.tenant, snapshot).await;
                let model = service.models.current()?;
                let is_loaded = || service.graphs.of_question(cx.tenant).read(&model, snapshot, |_| ()).is_some();
                let started = tokio::time::Instant::now();
                while !is_loaded() {
                    ensure!(started.elapsed() < PATIENCE, "the relation tuples are not in memory");
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        }
        Ok(())
    }

    /// The lists that have the object, the subject or the relation of a question.
    async fn reverse(&self, cx: &Context, prepared: &Prepared<'_>, question: &Question) -> Result<(), Mismatch> {
        let Question { place, subject, .. } = question;
        let Place { namespace, object, relation } = place.clone();
        let options = CheckOptions { max_depth: Some(WIDE.depth.into()), ..CheckOptions::default() };
        let list = async |question: &ReverseQuestion| {
            self.listed(async || Ok(self.wide.list_names(cx, question, ALL, options).await?.answer)).await
        };
        let objects = list(&ReverseQuestion::objects(namespace.clone(), relation.clone(), subject.clone())).await?;
        self.lists("objects", objects, prepared.objects(place, subject))?;
        let relations = list(&ReverseQuestion::relations(namespace.clone(), object.clone(), subject.clone())).await?;
        self.lists("relations", relations, prepared.relations(place, subject))?;
        let kind = match subject {
            Subject::Id(_) => Subject::Id(String::new()),
            Subject::Set(set) if !prepared.declares(&set.namespace, &set.relation) => return Ok(()),
            Subject::Set(set) => Subject::Set(SubjectSet { object: String::new(), ..set.clone() }),
        };
        let expected = prepared.subjects_of_kind(place, &kind);
        let tuple = RelationTuple { namespace, object, relation, subject: kind };
        let subjects = list(&ReverseQuestion { sought: Sought::Subjects, tuple }).await?;
        self.lists("subjects", subjects, expected)
    }

    fn lists(
        &self,
        what: &str,
        found: Option<NameListing>,
        expected: Option<BTreeSet<String>>,
    ) -> Result<(), Mismatch> {
        ensure!(found.is_some() == self.are_in_memory, "the list of {what}: {found:?}");
        if let (Some(found), Some(expected)) = (found, expected) {
            ensure!(found.truncated.is_none() && !found.has_more, "the {what} are not complete: {found:?}");
            let found: BTreeSet<String> = found.names.into_iter().collect();
            ensure!(found == expected, "the {what} are {found:?}, expected {expected:?}");
        }
        Ok(())
    }

    /// `None`: there is no graph. Waits for one that is not current.
    async fn listed(
        &self,
        list: impl AsyncFn() -> Result<NameListing, ListError>,
    ) -> Result<Option<NameListing>, Mismatch> {
        let started = tokio::time::Instant::now();
        loop {
            match list().await {
                Ok(found) => return Ok(Some(found)),
                Err(ListError::Evaluate(EvaluateError::NotInMemory(_))) if !self.are_in_memory => return Ok(None),
                Err(ListError::Evaluate(EvaluateError::NotInMemory(_))) if started.elapsed() < PATIENCE => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Questions that may be asked, with more of the rare answers than there are among all.
fn some_questions(prepared: &Prepared<'_>, dice: &mut Dice) -> Vec<Question> {
    let subjects = prepared.case().subjects();
    let mut questions: Vec<Question> = subjects.iter().flat_map(|subject| prepared.questions(subject)).collect();
    questions.retain(|question| {
        let of_subject = match &question.subject {
            Subject::Id(_) => true,
            Subject::Set(set) => prepared.namespace(&set.namespace).is_some(),
        };
        of_subject && prepared.namespace(&question.place.namespace).is_some()
    });
    dice.shuffle(&mut questions);
    let (mut yes, mut failures, mut no) = (0, 0, 0);
    questions.retain(|question| {
        let (count, most) = match question.expected {
            Membership::Yes => (&mut yes, YES),
            Membership::Failure => (&mut failures, FAILURES),
            Membership::No => (&mut no, NO),
        };
        *count += 1;
        *count <= most
    });
    questions
}

/// What the reference lists. `None`: a member depends on its own negation, and may be missing.
impl Prepared<'_> {
    fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.case().model.namespaces.iter().find(|namespace| namespace.name == name)
    }

    fn declares(&self, namespace: &str, relation: &str) -> bool {
        let is_open = |it: &Namespace| it.relations.is_empty() && it.permits.is_empty();
        let is_declared =
            |it: &Namespace| is_open(it) || relation.is_empty() || declared(it).any(|name| name == relation);
        self.namespace(namespace).is_some_and(is_declared)
    }

    /// The names of a kind in tuples that have not expired. Only these are listed.
    fn names(&self, namespace: Option<&str>) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for stored in self.case().tuples.iter().filter(|it| it.expires_at.is_none_or(|at| at > NOW)) {
            let tuple = &stored.tuple;
            let subject = match &tuple.subject {
                Subject::Id(id) => (None, id),
                Subject::Set(set) => (Some(&*set.namespace), &set.object),
            };
            for (of, name) in [(Some(&*tuple.namespace), &tuple.object), subject] {
                if of == namespace {
                    names.insert(name.clone());
                }
            }
        }
        names
    }

    fn objects(&self, place: &Place, subject: &Subject) -> Option<BTreeSet<String>> {
        let (names, mut objects) = (self.names(Some(&place.namespace)), BTreeSet::new());
        for question in self.questions(subject) {
            let Place { namespace, object, relation } = &question.place;
            if *namespace != place.namespace || *relation != place.relation || !names.contains(object) {
                continue;
            }
            if question.is_unstratified {
                return None;
            }
            if question.expected == Membership::Yes {
                objects.insert(question.place.object);
            }
        }
        Some(objects)
    }

    fn relations(&self, place: &Place, subject: &Subject) -> Option<BTreeSet<String>> {
        let declared: BTreeSet<&str> = self.namespace(&place.namespace).into_iter().flat_map(declared).collect();
        let mut relations = BTreeSet::new();
        for question in self.questions(subject) {
            let Place { namespace, object, relation } = question.place;
            if namespace != place.namespace || object != place.object || !declared.contains(relation.as_str()) {
                continue;
            }
            if question.is_unstratified {
                return None;
            }
            if question.expected == Membership::Yes {
                relations.insert(relation);
            }
        }
        // A namespace without declarations has the relations of its tuples.
        (!declared.is_empty()).then_some(relations)
    }

    fn subjects_of_kind(&self, place: &Place, kind: &Subject) -> Option<BTreeSet<String>> {
        let names = match kind {
            Subject::Id(_) => self.names(None),
            Subject::Set(set) => self.names(Some(&set.namespace)),
        };
        let mut subjects = BTreeSet::new();
        for name in names {
            let subject = match kind {
                Subject::Id(_) => Subject::Id(name.clone()),
                Subject::Set(set) => Subject::Set(SubjectSet { object: name.clone(), ..set.clone() }),
            };
            let questions = self.questions(&subject);
            let question = questions.iter().find(|question| question.place == *place)?;
            if question.is_unstratified {
                return None;
            }
            if question.expected == Membership::Yes {
                subjects.insert(name);
            }
        }
        Some(subjects)
    }
}

fn declared(namespace: &Namespace) -> impl Iterator<Item = &str> {
    let relations = namespace.relations.iter().map(|relation| &*relation.name);
    relations.chain(namespace.permits.iter().map(|permit| &*permit.name))
}

/// The operations of a service.
struct InService<'a> {
    services: &'a Services,
    cx: &'a Context,
}

impl InService<'_> {
    fn options(limits: Limits) -> CheckOptions<'static> {
        CheckOptions { max_depth: Some(limits.depth.into()), ..CheckOptions::default() }
    }
}

impl Reader for InService<'_> {
    fn name(&self) -> &'static str {
        if self.services.are_in_memory { "the service in memory" } else { "the service on tables" }
    }

    async fn alone(&mut self, questions: &[&Question], limits: Limits) -> Result<Vec<Answer>, Mismatch> {
        let Services { wide, narrow, .. } = self.services;
        let service = if limits.breadth == NARROW { narrow } else { wide };
        let mut answers = Vec::with_capacity(questions.len());
        for question in questions {
            let answered = service.check(self.cx, &question.tuple(), Self::options(limits)).await;
            answers.push(answer_of(answered.map(|it| it.answer))?);
            // Memory answers without a wait, but is kept current by another task.
            tokio::task::yield_now().await;
        }
        Ok(answers)
    }

    async fn together(&mut self, questions: &[&Question]) -> Result<Vec<Answer>, Mismatch> {
        let tuples: Vec<_> = questions.iter().map(|question| question.tuple()).collect();
        let tuples = tuples.into_iter().map(Ok).collect();
        let answered = self.services.wide.batch_check(self.cx, tuples, Self::options(WIDE)).await?;
        answered.answer.into_iter().map(answer_of).collect()
    }

    async fn explained(&mut self, question: &Question) -> Result<Answer, Mismatch> {
        let explained = self.services.wide.explain(self.cx, &question.tuple(), Self::options(WIDE)).await;
        match explained {
            Ok(explained) => {
                ensure!(!explained.answer.steps.is_empty(), "an explanation without steps");
                answer_of(explained.answer.answer)
            }
            Err(error) => answer_of(Err(error)),
        }
    }
}

fn answer_of(answer: Result<bool, CheckError>) -> Result<Answer, Mismatch> {
    match answer {
        Ok(answer) => Ok(Ok(answer)),
        Err(CheckError::Unanswered { failure, .. }) => Ok(Err(failure)),
        Err(CheckError::UndeclaredRelation(_) | CheckError::UndeclaredOnTheWay { .. }) => {
            let (namespace, relation) = (NamespaceId::UNKNOWN, RelationId::UNKNOWN);
            Ok(Err(Failure::UndeclaredRelation { namespace, relation }))
        }
        Err(error) => bail!("{error}"),
    }
}
