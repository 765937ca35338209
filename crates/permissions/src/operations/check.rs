//! Whether a subject has a relation to an object, or a permission on it.

use std::borrow::Borrow;
use std::sync::Arc;
use std::task::Poll;

use base::Context;

use super::evaluate::{Answered, Asking, EvaluateError, Numbers, Question, Shareable};
pub use super::shared_answers::CheckError;
use crate::Permissions;
use crate::components::models::LoadedModel;
use crate::domain::condition::Object;
use crate::domain::consistency::Consistency;
use crate::domain::evaluation::reverse::Directory;
use crate::domain::evaluation::{Evaluator, Failure, Limits};
use crate::domain::ids::{SubjectNumber, Userset};
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::relation_tuple::RelationTuple;
use crate::domain::request_conditions::{Reasons, RequestConditions};
use crate::domain::write_validation::check_names;

/// What a check asks, besides the tuple.
#[derive(Clone, Copy, Debug, Default)]
pub struct CheckOptions<'a> {
    /// Used if it is above zero and not above `limit.max_read_depth`.
    pub max_depth: Option<i64>,
    /// The attributes of the request, for conditions.
    pub context: Option<&'a Object>,
    pub consistency: Consistency,
}

/// Why a question cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuestion {
    /// A text is too long, a namespace does not exist, or strict mode refuses the subject.
    #[error(transparent)]
    Tuple(#[from] InvalidTuple),
    /// The namespace declares relations, but not this one.
    #[error("relation \"{0}\" does not exist")]
    UndeclaredRelation(String),
}

impl From<InvalidQuestion> for CheckError {
    fn from(invalid: InvalidQuestion) -> Self {
        match invalid {
            InvalidQuestion::Tuple(invalid) => Self::Invalid(invalid),
            InvalidQuestion::UndeclaredRelation(relation) => Self::UndeclaredRelation(relation),
        }
    }
}

/// Why a check has no answer, in numbers of a reader.
#[derive(Debug)]
pub(super) struct NoAnswer {
    pub(super) failure: Failure,
    /// Why the condition of the failure has no result, if it is known.
    pub(super) reason: Option<String>,
}

/// Checks one tuple, and keeps the reason when there is no answer.
pub(super) fn ask<R: Directory>(
    evaluator: &mut Evaluator<'_, R, RequestConditions<'_>>,
    (userset, subject): (Userset, SubjectNumber),
) -> Poll<Result<bool, NoAnswer>> {
    evaluator.conditions().forget_reasons();
    let answer = evaluator.check(userset, subject);
    answer.map(|answer| answer.map_err(|failure| NoAnswer::of(failure, &mut evaluator.conditions().take_reasons())))
}

impl NoAnswer {
    pub(super) fn of(failure: Failure, reasons: &mut Reasons) -> Self {
        let reason = match failure {
            Failure::Condition(condition) => reasons.remove(&condition),
            _ => None,
        };
        Self { failure, reason }
    }
}

impl CheckError {
    pub(super) fn of(NoAnswer { failure, reason }: NoAnswer, numbers: &dyn Numbers) -> Self {
        match failure {
            Failure::UndeclaredRelation { namespace, relation } => {
                let symbols = numbers.symbols();
                let [namespace, relation] = [symbols.namespace_name(namespace), symbols.relation_name(relation)];
                Self::UndeclaredOnTheWay { namespace: namespace.to_owned(), relation: relation.to_owned() }
            }
            Failure::Condition(condition) => {
                let name = numbers.symbols().condition_name(condition);
                let why = reason.as_deref().unwrap_or("send the attributes that it reads, or ask about less");
                let reason = format!("the condition \"{name}\" has no result: {why}");
                Self::Unanswered { failure, reason }
            }
            other => Self::Unanswered { failure, reason: other.to_string() },
        }
    }
}

/// Whether the subject of a tuple has its relation to its object.
struct OfTuple<T>(T);

impl<T: Borrow<RelationTuple> + Sync> Question for OfTuple<T> {
    type Numbered = (Userset, SubjectNumber);
    type Found = Result<bool, NoAnswer>;
    type Answer = Result<bool, CheckError>;

    fn number(&self, numbers: &mut (dyn Numbers + Send)) -> Result<Self::Numbered, EvaluateError> {
        number(self.0.borrow(), numbers)
    }

    fn ask<'q, R: Directory>(
        &'q self,
        numbered: &Self::Numbered,
        evaluator: &mut Evaluator<'_, R, RequestConditions<'q>>,
    ) -> Poll<Self::Found> {
        ask(evaluator, *numbered)
    }

    fn present(&self, found: Self::Found, numbers: &(dyn Numbers + Send)) -> Self::Answer {
        found.map_err(|no_answer| CheckError::of(no_answer, numbers))
    }
}

impl Shareable for OfTuple<RelationTuple> {
    type Asked = RelationTuple;

    fn asked(&self) -> RelationTuple {
        self.0.clone()
    }
}

pub(super) fn number(
    tuple: &RelationTuple,
    numbers: &mut (dyn Numbers + Send),
) -> Result<(Userset, SubjectNumber), EvaluateError> {
    let RelationTuple { namespace, object, relation, subject } = tuple;
    Ok((numbers.userset(namespace, object, relation)?, numbers.subject(subject)?))
}

impl Permissions {
    /// Checks one tuple.
    pub async fn check(
        &self,
        cx: &Context,
        tuple: &RelationTuple,
        options: CheckOptions<'_>,
    ) -> Result<Answered<bool>, CheckError> {
        let model = self.models.current()?;
        self.may_ask(&model, tuple)?;
        let asking = self.asking(&model, options);
        let Answered { answer, snapshot } = match self.answer_if_in_memory(cx, &asking, &OfTuple(tuple)).await? {
            Some(answered) => answered,
            None => self.answer_from_tables(&self.checks, cx, &asking, OfTuple(tuple.clone())).await?,
        };
        Ok(Answered { answer: answer?, snapshot })
    }

    /// Whether a tuple may be asked about.
    pub(super) fn may_ask(&self, model: &LoadedModel, tuple: &RelationTuple) -> Result<(), InvalidQuestion> {
        self.write_rules.check_subject_id(&tuple.subject)?;
        check_names(&model.model, tuple)?;
        if model.accepts(&tuple.namespace, &tuple.relation) {
            Ok(())
        } else {
            Err(InvalidQuestion::UndeclaredRelation(tuple.relation.clone()))
        }
    }

    pub(super) fn asking<'a>(&self, model: &'a Arc<LoadedModel>, options: CheckOptions<'a>) -> Asking<'a> {
        let CheckOptions { max_depth, context, consistency } = options;
        Asking { model, limits: self.limits_of(max_depth), context, consistency }
    }

    pub(super) fn limits_of(&self, max_depth: Option<i64>) -> Limits {
        let most = self.limits.max_read_depth;
        let depth = max_depth.and_then(|depth| u16::try_from(depth).ok()).filter(|depth| (1..=most).contains(depth));
        Limits { depth: depth.unwrap_or(most), breadth: self.limits.max_read_width.into(), ..Limits::default() }
    }
}
