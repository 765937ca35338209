//! Asks the questions of a test and compares the answers.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::Poll;

use base::Timestamp;
use permission_language::Model;
use serde_json::Value;

use super::document::{Expected, ExpectedList, ObjectsEntry, SubjectsEntry, Test, TestFile};
use super::world::World;
use crate::domain::access::RequestAttributes;
use crate::domain::condition::{CompiledCondition, Object, Root};
use crate::domain::evaluation::reverse::{Listing, ObjectsQuestion, Part, SubjectsQuestion};
use crate::domain::evaluation::{Evaluator, EvaluatorParts, Failure, Limits, Scratch};
use crate::domain::explanation_text::{Line, Vocabulary};
use crate::domain::graph::GraphAt;
use crate::domain::ids::{NamespaceId, RelationId};
use crate::domain::relation_tuple::{RelationTuple, Subject, SubjectSet};
use crate::domain::request_conditions::{Reasons, RequestConditions};
use crate::domain::schema::Rules;
use crate::domain::write_validation::check_names;

/// The longest list that is compared.
const LONGEST_LIST: usize = 100_000;

/// The answer to a question, or the part of it that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The name of the test.
    pub test: String,
    pub question: String,
    pub expected: String,
    /// What the answer is instead; `None` if it is the expected one.
    pub actual: Option<String>,
    /// Why: the way that grants, or the nearest miss. Only for an answer that is not the expected one.
    pub path: Vec<Line>,
}

/// The findings of all questions in the order of the file, or what is wrong with the file.
pub fn run(file: &TestFile, model: &Model, conditions: &[Arc<CompiledCondition>]) -> Result<Vec<Finding>, Vec<String>> {
    let shared = World::new(model, conditions, file, &[])?;
    let (mut findings, mut faults) = (Vec::new(), Vec::new());
    for test in &file.tests {
        let outcome = if test.tuples.is_empty() {
            Runner { file, model, test }.run(&shared)
        } else {
            let world = World::new(model, conditions, file, &test.tuples);
            world.and_then(|world| Runner { file, model, test }.run(&world))
        };
        match outcome {
            Ok(of_test) => findings.extend(of_test),
            Err(problems) => faults.extend(problems.into_iter().map(|it| format!("test \"{}\": {it}", test.name))),
        }
    }
    if faults.is_empty() && findings.is_empty() {
        faults.push("no question: add check, list_objects or list_subjects to a test".to_owned());
    }
    if faults.is_empty() { Ok(findings) } else { Err(faults) }
}

struct Runner<'a> {
    file: &'a TestFile,
    model: &'a Model,
    test: &'a Test,
}

/// The time and the attributes of a test.
struct Given {
    now: Timestamp,
    attributes: RequestAttributes,
}

impl Runner<'_> {
    fn run(&self, world: &World) -> Result<Vec<Finding>, Vec<String>> {
        let given = self.given(world).map_err(|problem| vec![problem])?;
        let session = Session { runner: self, world, given: &given };
        let checks = self.test.check.0.iter().map(|(tuple, expected)| session.check(tuple, *expected));
        let objects = self.test.list_objects.iter().map(|entry| session.list_objects(entry));
        let subjects = self.test.list_subjects.iter().map(|entry| session.list_subjects(entry));
        let (mut findings, mut faults) = (Vec::new(), Vec::new());
        for outcome in checks.chain(objects).chain(subjects) {
            match outcome {
                Ok(found) => findings.extend(found),
                Err(problem) => faults.push(problem),
            }
        }
        if faults.is_empty() { Ok(findings) } else { Err(faults) }
    }

    fn given(&self, world: &World) -> Result<Given, String> {
        let object = |root, value: &Option<Value>| {
            value.clone().map(|value| Object::new(root, value).map_err(|error| error.to_string())).transpose()
        };
        let now = match self.test.time.or(self.file.time) {
            Some(time) => time,
            None if world.has_expiry => return Err("tuples expire: add the time of the test, time".to_owned()),
            None if world.conditions.values().any(|condition| condition.reads_now()) => {
                return Err("a condition reads the time: add the time of the test, time".to_owned());
            }
            None => Timestamp::EPOCH,
        };
        let attributes = RequestAttributes {
            subject: object(Root::Subject, &self.test.subject)?,
            resource: object(Root::Resource, &self.test.resource)?,
            action: object(Root::Action, &self.test.action)?,
            context: object(Root::Context, &self.test.context)?,
        };
        Ok(Given { now, attributes })
    }

    /// Of a check.
    fn limits(&self) -> Limits {
        let limits = Limits::default();
        Limits {
            depth: self.file.limit.max_read_depth.unwrap_or(limits.depth),
            breadth: self.file.limit.max_read_width.unwrap_or(limits.breadth),
            ..limits
        }
    }
}

/// The questions of one test.
struct Session<'a> {
    runner: &'a Runner<'a>,
    world: &'a World,
    given: &'a Given,
}

/// The answer of a check, as a value and as text, and the way to it.
struct Explained {
    answer: Result<bool, Failure>,
    text: String,
    path: Vec<Line>,
}

/// An answer, and why conditions have no result.
type Asked<T> = (Poll<T>, Reasons);

impl Session<'_> {
    fn check(&self, text: &str, expected: Expected) -> Result<Vec<Finding>, String> {
        let question: RelationTuple = text.parse().map_err(|error| format!("check: {error}"))?;
        self.validate(&question).map_err(|error| format!("check: {text}: {error}"))?;
        let Explained { answer, text: actual, path } = self.explain(&question)?;
        let is_expected = match answer {
            Ok(true) => expected == Expected::Allowed,
            Ok(false) => expected == Expected::Denied,
            Err(_) => expected == Expected::Error,
        };
        let mismatch = (!is_expected).then_some((actual, path));
        Ok(vec![self.finding(text.to_owned(), expected.to_string(), mismatch)])
    }

    fn explain(&self, question: &RelationTuple) -> Result<Explained, String> {
        let graph = &self.world.graph;
        let userset = graph.find(&question.namespace, &question.object, &question.relation);
        let subject = graph.find_subject(&question.subject);
        let (explanation, reasons) = self.ask(self.runner.limits(), |evaluator| evaluator.explain(userset, subject));
        let Poll::Ready(explanation) = explanation else { return Err(PENDING.to_owned()) };
        let vocabulary = self.vocabulary(question, &reasons);
        let text = match explanation.answer {
            Ok(true) => Expected::Allowed.to_string(),
            Ok(false) => Expected::Denied.to_string(),
            Err(failure) => format!("an error: {}", vocabulary.failure(failure)),
        };
        Ok(Explained { answer: explanation.answer, text, path: vocabulary.lines(&explanation) })
    }

    fn list_objects(&self, entry: &ObjectsEntry) -> Result<Vec<Finding>, String> {
        let ObjectsEntry { subject, relation, namespace, objects } = entry;
        let title = format!("list_objects {namespace}#{relation}@{subject}");
        let question = |object: &str| RelationTuple {
            namespace: namespace.clone(),
            object: object.to_owned(),
            relation: relation.clone(),
            subject: Subject::from_text(subject),
        };
        self.validate(&question("")).map_err(|error| format!("{title}: {error}"))?;
        self.require_declared(namespace, relation).map_err(|error| format!("{title}: {error}"))?;
        let graph = &self.world.graph;
        let asked = ObjectsQuestion {
            namespace: graph.symbols().namespace(namespace).unwrap_or(NamespaceId::UNKNOWN),
            relation: graph.symbols().relation(relation).unwrap_or(RelationId::UNKNOWN),
            subject: graph.find_subject(&Subject::from_text(subject)),
        };
        let (listing, reasons) = self.ask(self.runner.limits(), |evaluator| evaluator.list_objects(asked, ALL));
        self.compare(&title, objects, (listing, reasons), question)
    }

    fn list_subjects(&self, entry: &SubjectsEntry) -> Result<Vec<Finding>, String> {
        let SubjectsEntry { object, relation, subject_type, subjects } = entry;
        let kind = subject_type.as_deref().unwrap_or_default();
        let title = format!("list_subjects {object}#{relation}@{kind}");
        let (namespace, name) = object
            .split_once(':')
            .ok_or_else(|| format!("list_subjects: the object \"{object}\" lacks a \":\": write namespace:object"))?;
        let (type_namespace, type_relation) = kind.split_once('#').unwrap_or((kind, ""));
        let question = |subject: &str| RelationTuple {
            namespace: namespace.to_owned(),
            object: name.to_owned(),
            relation: relation.clone(),
            subject: match subject_type {
                None => Subject::Id(subject.to_owned()),
                Some(_) => Subject::Set(SubjectSet {
                    namespace: type_namespace.to_owned(),
                    object: subject.to_owned(),
                    relation: type_relation.to_owned(),
                }),
            },
        };
        self.validate(&question("")).map_err(|error| format!("{title}: {error}"))?;
        let listed = [(namespace, relation.as_str()), (type_namespace, type_relation)];
        let declared = listed.into_iter().try_for_each(|(namespace, name)| self.require_declared(namespace, name));
        declared.map_err(|error| format!("{title}: {error}"))?;
        let symbols = self.world.graph.symbols();
        let of_type = symbols.namespace(type_namespace).unwrap_or(NamespaceId::UNKNOWN);
        let asked = SubjectsQuestion {
            userset: self.world.graph.find(namespace, name, relation),
            namespace: if subject_type.is_some() { of_type } else { NamespaceId::IDS },
            relation: symbols.relation(type_relation).unwrap_or(RelationId::UNKNOWN),
        };
        let (listing, reasons) = self.ask(self.runner.limits(), |evaluator| evaluator.list_subjects(asked, ALL));
        self.compare(&title, subjects, (listing, reasons), question)
    }

    /// A finding for each name that is missing or not expected, or one if there is none.
    fn compare(
        &self,
        title: &str,
        expected: &ExpectedList,
        (listing, reasons): Asked<Listing>,
        question: impl Fn(&str) -> RelationTuple,
    ) -> Result<Vec<Finding>, String> {
        let Poll::Ready(listing) = listing else { return Err(PENDING.to_owned()) };
        let names: BTreeSet<&str> = listing.names.iter().map(|name| self.world.graph.names().name(*name)).collect();
        let expected: BTreeSet<&str> = match expected {
            ExpectedList::Names(expected) => expected.iter().map(String::as_str).collect(),
            ExpectedList::Error => {
                let complete = listing.truncated.is_none() && listing.unresolved.is_none();
                let mismatch = complete.then(|| (format!("a complete list: {}", list(&names)), Vec::new()));
                return Ok(vec![self.finding(title.to_owned(), "an incomplete list".to_owned(), mismatch)]);
            }
        };
        let mut findings = Vec::new();
        let differences = expected.difference(&names).map(|name| (name, "in the list", "not in it"));
        let more = names.difference(&expected).map(|name| (name, "not in the list", "in it"));
        for (name, wanted, actual) in differences.chain(more) {
            let path = self.explain(&question(name))?.path;
            let wanted = format!("{name} {wanted}");
            findings.push(self.finding(title.to_owned(), wanted, Some((actual.to_owned(), path))));
        }
        for failure in [listing.truncated, listing.unresolved].into_iter().flatten() {
            let reason = self.vocabulary(&question(""), &reasons).failure(failure);
            let actual = format!("an incomplete list: {reason}");
            findings.push(self.finding(title.to_owned(), "a complete list".to_owned(), Some((actual, Vec::new()))));
        }
        if findings.is_empty() {
            findings.push(self.finding(title.to_owned(), list(&expected).into_owned(), None));
        }
        Ok(findings)
    }

    fn validate(&self, question: &RelationTuple) -> Result<(), String> {
        let rules = self.runner.file.write_rules();
        let valid = check_names(self.runner.model, question);
        valid.and_then(|()| rules.check_subject_id(&question.subject)).map_err(|error| error.to_string())
    }

    /// A list of a misspelt relation would always be empty, and so expect nothing.
    fn require_declared(&self, namespace: &str, relation: &str) -> Result<(), String> {
        let symbols = self.world.graph.symbols();
        let Some(id) = symbols.namespace(namespace) else { return Ok(()) };
        match self.world.schema.rules(id, symbols.relation(relation).unwrap_or(RelationId::UNKNOWN)) {
            Rules::Undeclared => Err(format!("the namespace {namespace} does not declare the relation {relation}")),
            Rules::Declared(_) | Rules::TuplesOnly(_) => Ok(()),
        }
    }

    fn ask<T>(
        &self,
        limits: Limits,
        ask: impl FnOnce(&mut Evaluator<'_, GraphAt<'_>, RequestConditions<'_>>) -> Poll<T>,
    ) -> Asked<T> {
        let Given { now, attributes } = self.given;
        let mut conditions = RequestConditions::new(&self.world.conditions, None, *now);
        conditions.read(attributes);
        let answer = ask(&mut Evaluator::new(EvaluatorParts {
            schema: &self.world.schema,
            relations: &mut self.world.graph.at(*now),
            conditions: &mut conditions,
            scratch: &mut Scratch::default(),
            limits,
            now: *now,
        }));
        (answer, conditions.take_reasons())
    }

    fn vocabulary<'v>(&'v self, question: &'v RelationTuple, reasons: &'v Reasons) -> Vocabulary<'v> {
        let graph = &self.world.graph;
        Vocabulary { symbols: graph.symbols(), names: graph.names(), question, reasons }
    }

    fn finding(&self, question: String, expected: String, mismatch: Option<(String, Vec<Line>)>) -> Finding {
        let test = self.runner.test.name.clone();
        let (actual, path) = mismatch.map_or((None, Vec::new()), |(actual, path)| (Some(actual), path));
        Finding { test, question, expected, actual, path }
    }
}

/// A graph in memory has every answer at once.
const PENDING: &str = "the tuples could not be read";

const ALL: Part<'static> = Part { after: None, limit: LONGEST_LIST };

fn list(names: &BTreeSet<&str>) -> Cow<'static, str> {
    if names.is_empty() { "nothing".into() } else { names.iter().copied().collect::<Vec<_>>().join(", ").into() }
}
