//! A model and tuples in the notation of the documentation, and questions about them, for tests that read well.

use std::task::Poll;

use base::Timestamp;
use permission_language::{Expression, Model, Namespace, Permit, Relation, SubjectType};

use super::conformance::Answer;
use super::generator::NOW;
use super::list_reader::TestConditions;
use super::mismatch::{Mismatch, bail};
use super::store::{Answered, Store};
use crate::domain::evaluation::{Evaluator, EvaluatorParts, Limits, Scratch};
use crate::domain::graph::{Graph, GraphAt};
use crate::domain::ids::Userset;
use crate::domain::relation_tuple::{RelationTuple, StoredTuple, Subject, SubjectSet, TupleCondition};
use crate::domain::schema::Schema;

/// Tuples in a graph, and a schema for them.
pub struct World {
    pub graph: Graph,
    pub schema: Schema,
    pub limits: Limits,
}

impl World {
    pub fn new(classes: Vec<Namespace>, tuples: &[&str]) -> Result<Self, Mismatch> {
        Self::with_mode(classes, tuples, false)
    }

    pub fn strict(classes: Vec<Namespace>, tuples: &[&str]) -> Result<Self, Mismatch> {
        Self::with_mode(classes, tuples, true)
    }

    fn with_mode(namespaces: Vec<Namespace>, tuples: &[&str], strict: bool) -> Result<Self, Mismatch> {
        let mut graph = Graph::default();
        let model = Model { namespaces, conditions: Vec::new() };
        let schema = Schema::compile(&model, graph.symbols_mut(), strict)?;
        for text in tuples {
            graph.insert(&stored(text)?)?;
        }
        Ok(Self { graph, schema, limits: Limits::default() })
    }

    /// `namespace:object#relation`, or the id of a subject.
    pub fn userset(&self, text: &str) -> Userset {
        self.graph.find_subject(&subject(text))
    }

    /// The answer for `namespace:object#relation@subject`.
    pub fn check(&self, text: &str) -> Result<Answer, Mismatch> {
        let (userset, subject) = text.split_once('@').ok_or_else(|| Mismatch(format!("no @ in {text}")))?;
        let (userset, subject) = (self.userset(userset), self.userset(subject));
        match self.ask(|evaluator| evaluator.check(userset, subject)) {
            Poll::Ready(answer) => Ok(answer),
            Poll::Pending => bail!("pending in the graph"),
        }
    }

    /// The answer over a store that is read in rounds, and the numbers of rounds and reads.
    pub fn check_in_rounds(&self, text: &str) -> Result<(Answer, usize, usize), Mismatch> {
        let (userset, subject) = text.split_once('@').ok_or_else(|| Mismatch(format!("no @ in {text}")))?;
        let (userset, subject) = (self.userset(userset), self.userset(subject));
        let store = Store { graph: &self.graph, schema: &self.schema, limits: self.limits };
        let Answered { answer, rounds, reads } = store.ask(|evaluator| evaluator.check(userset, subject))?;
        Ok((answer, rounds, reads))
    }

    pub fn ask<T>(&self, ask: impl FnOnce(&mut Evaluator<'_, GraphAt<'_>, TestConditions<'_>>) -> T) -> T {
        let (mut relations, mut conditions) = (self.graph.at(NOW), TestConditions(self.graph.symbols()));
        let (schema, relations, conditions) = (&self.schema, &mut relations, &mut conditions);
        let (scratch, limits) = (&mut Scratch::default(), self.limits);
        ask(&mut Evaluator::new(EvaluatorParts { schema, relations, conditions, scratch, limits, now: NOW }))
    }

    /// As [`Self::userset`] reads it.
    pub fn print(&self, userset: Userset) -> String {
        let name = self.graph.names().name(userset.name());
        if userset.is_id() {
            return name.to_owned();
        }
        let namespace = self.graph.symbols().namespace_name(userset.namespace());
        match self.graph.symbols().relation_name(userset.relation()) {
            "" => format!("{namespace}:{name}"),
            relation => format!("{namespace}:{name}#{relation}"),
        }
    }
}

/// `namespace:object#relation@subject`, with ` if condition` or ` until second` behind it.
fn stored(text: &str) -> Result<StoredTuple, Mismatch> {
    let (text, condition) = text.split_once(" if ").map_or((text, None), |(text, name)| (text, Some(name)));
    let (text, until) = text.split_once(" until ").map_or((text, None), |(text, until)| (text, Some(until)));
    let (userset, of) = text.split_once('@').ok_or_else(|| Mismatch(format!("no @ in {text}")))?;
    let Subject::Set(SubjectSet { namespace, object, relation }) = subject(userset) else {
        bail!("no namespace in {text}")
    };
    let tuple = RelationTuple { namespace, object, relation, subject: subject(of) };
    let condition = condition.map(|name| TupleCondition { name: name.into(), context: None });
    let expires_at = until.map(|until| until.parse().map(Timestamp::from_unix_seconds)).transpose()?;
    Ok(StoredTuple { tuple, condition, expires_at })
}

fn subject(text: &str) -> Subject {
    let Some((namespace, rest)) = text.split_once(':') else { return Subject::Id(text.into()) };
    let (object, relation) = rest.split_once('#').unwrap_or((rest, ""));
    Subject::Set(SubjectSet { namespace: namespace.into(), object: object.into(), relation: relation.into() })
}

/// A class with relations that accept everything.
pub fn class(name: &str, relations: &[&str], permits: Vec<(&str, Expression)>) -> Namespace {
    let relations = relations.iter().map(|name| Relation { name: (*name).into(), types: Vec::new() }).collect();
    let permits = permits.into_iter().map(|(name, expression)| Permit { name: name.into(), expression }).collect();
    Namespace { name: name.into(), relations, permits }
}

/// The type of an object, or of a subject set.
pub fn subject_type(namespace: &str, relation: Option<&str>) -> SubjectType {
    SubjectType { namespace: namespace.into(), relation: relation.map(Into::into), condition: None }
}

pub fn has(relation: &str) -> Expression {
    Expression::Has(relation.into())
}

pub fn traverse(relation: &str, target: &str) -> Expression {
    Expression::Traverse { relation: relation.into(), target: target.into() }
}

pub fn any<const N: usize>(members: [Expression; N]) -> Expression {
    Expression::Any(members.into())
}

pub fn all<const N: usize>(members: [Expression; N]) -> Expression {
    Expression::All(members.into())
}

pub fn not(inner: Expression) -> Expression {
    Expression::Not(Box::new(inner))
}

pub fn meets(condition: &str) -> Expression {
    Expression::Meets(condition.into())
}
