//! Explanations and failures as text: one line for each step, with the names of the tuples.
//!
//! Invariant: a name that has no number is that of the question: everything else was read from tuples or from the model.

use super::evaluation::Failure;
use super::evaluation::explain::{Explanation, Step, StepKind};
use super::ids::{ConditionId, NameId, NamespaceId, RelationId, Userset};
use super::names::Names;
use super::relation_tuple::RelationTuple;
use super::request_conditions::Reasons;
use super::symbols::Symbols;

/// The names of an evaluation.
pub struct Vocabulary<'a> {
    pub symbols: &'a Symbols,
    pub names: &'a Names,
    /// What was asked.
    pub question: &'a RelationTuple,
    /// Why conditions have no result.
    pub reasons: &'a Reasons,
}

/// A step as text. The operands of an expression are one level deeper than the expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub level: u16,
    pub text: String,
}

impl Vocabulary<'_> {
    pub fn lines(&self, explanation: &Explanation) -> Vec<Line> {
        explanation.steps.iter().map(|Step { level, kind }| Line { level: *level, text: self.step(kind) }).collect()
    }

    fn step(&self, kind: &StepKind) -> String {
        match *kind {
            StepKind::Tuple { userset, subject } => {
                format!("the tuple {}@{}", self.userset(userset), self.userset(subject))
            }
            StepKind::SubjectSet { userset, set } => {
                format!("the tuple {}@{}", self.userset(userset), self.userset(set))
            }
            StepKind::Rewrite { from, to } => format!("{} includes {}", self.userset(from), self.userset(to)),
            StepKind::Traverse { through, to } => {
                let object = to.with_relation(RelationId::NONE);
                let tuple = format!("{}@{}", self.userset(through), self.userset(object));
                format!("the tuple {tuple}, and so {}", self.userset(to))
            }
            StepKind::Formula { userset } => format!("{} is an expression of:", self.userset(userset)),
            StepKind::NotExcluded { object } => format!("not excluded from {}", self.userset(object)),
            StepKind::Excluded { object } => format!("excluded from {}, because of:", self.userset(object)),
            StepKind::Condition { condition, holds } => self.condition(condition, holds),
            StepKind::Expired => "this tuple has expired".to_owned(),
            StepKind::NoTuple { userset } => format!("no tuple leads from {} to the subject", self.userset(userset)),
            StepKind::Failed(failure) => self.failure(failure),
            StepKind::NotFound { userset } => {
                format!("{} includes the subject by a way that takes too many steps to show", self.userset(userset))
            }
        }
    }

    fn condition(&self, condition: ConditionId, holds: Option<bool>) -> String {
        let name = self.symbols.condition_name(condition);
        match (holds, self.reasons.get(&condition)) {
            (Some(true), _) => format!("the condition {name} holds"),
            (Some(false), _) => format!("the condition {name} does not hold"),
            (None, Some(reason)) => format!("the condition {name} has no result: {reason}"),
            (None, None) => format!("the condition {name} has no result"),
        }
    }

    /// Why a question has no answer.
    pub fn failure(&self, failure: Failure) -> String {
        match failure {
            Failure::Condition(condition) => self.condition(condition, None),
            Failure::UndeclaredRelation { namespace, relation } => {
                let (namespace, relation) = (self.namespace(namespace), self.relation(relation));
                format!("the namespace {namespace} does not declare the relation {relation}")
            }
            Failure::CyclicPermits { namespace, relation } => {
                let (namespace, relation) = (self.namespace(namespace), self.relation(relation));
                format!("cyclic permits: {relation} of {namespace} refers to itself")
            }
            Failure::StepsExhausted
            | Failure::NestingExhausted
            | Failure::DepthExhausted
            | Failure::BreadthExhausted
            | Failure::DependsOnOwnNegation => failure.to_string(),
        }
    }

    fn userset(&self, userset: Userset) -> String {
        let name = match userset.name() {
            NameId::UNKNOWN => &self.question.object,
            known => self.names.name(known),
        };
        if userset.is_id() {
            return name.to_owned();
        }
        let namespace = self.namespace(userset.namespace());
        match self.relation(userset.relation()) {
            "" => format!("{namespace}:{name}"),
            relation => format!("{namespace}:{name}#{relation}"),
        }
    }

    fn namespace(&self, id: NamespaceId) -> &str {
        if id == NamespaceId::UNKNOWN { &self.question.namespace } else { self.symbols.namespace_name(id) }
    }

    fn relation(&self, id: RelationId) -> &str {
        if id == RelationId::UNKNOWN { &self.question.relation } else { self.symbols.relation_name(id) }
    }
}
