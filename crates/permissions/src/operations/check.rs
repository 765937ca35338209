//! Whether a subject has a relation to an object, or a permission on it.

use base::Context;

use super::evaluate::{EvaluateError, Evaluation};
use crate::Permissions;
use crate::components::models::Unloaded;
use crate::domain::condition::Object;
use crate::domain::evaluation::{Failure, Limits};
use crate::domain::ids::{Subject, Userset};
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::relation_tuple::{RelationTuple, SubjectSet};
use crate::domain::symbols::Symbols;
use crate::domain::write_validation::check_names;

/// A check over the database looks at about as many tuples and usersets.
const MOST_STEPS: u32 = 50_000;

/// What a check asks, besides the tuple.
#[derive(Clone, Copy, Debug, Default)]
pub struct CheckOptions<'a> {
    /// Used if it is above zero and not above `limit.max_read_depth`.
    pub max_depth: Option<i64>,
    /// The attributes of the request, for conditions.
    pub context: Option<&'a Object>,
}

/// Why a check has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Unloaded(#[from] Unloaded),
    /// A text is too long, a namespace does not exist, or strict mode refuses the subject.
    #[error(transparent)]
    Invalid(#[from] InvalidTuple),
    /// The namespace declares relations, but not this one.
    #[error("relation \"{0}\" does not exist")]
    UndeclaredRelation(String),
    /// A limit was reached, or a condition has no result.
    #[error("{reason}")]
    Unanswered { failure: Failure, reason: String },
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
}

impl CheckError {
    pub(super) fn of(failure: Failure, symbols: &Symbols) -> Self {
        match failure {
            Failure::UndeclaredRelation { relation, .. } => {
                Self::UndeclaredRelation(symbols.relation_name(relation).to_owned())
            }
            Failure::Condition(condition) => {
                let name = symbols.condition_name(condition);
                let reason = format!("the condition \"{name}\" has no result; send the attributes that it reads");
                Self::Unanswered { failure, reason }
            }
            other => Self::Unanswered { failure, reason: other.to_string() },
        }
    }
}

impl Permissions {
    /// Checks one tuple. What is read sees at least all changes that were acknowledged before.
    pub async fn check(
        &self,
        cx: &Context,
        tuple: &RelationTuple,
        options: CheckOptions<'_>,
    ) -> Result<bool, CheckError> {
        let model = self.models.current()?;
        let mut evaluation = Evaluation::new(&model, self.limits_of(options.max_depth), options.context);
        let (userset, subject) = self.question(&mut evaluation, tuple)?;
        let answer = self.evaluate(cx, &mut evaluation, |evaluator| evaluator.check(userset, subject)).await?;
        answer.map_err(|failure| CheckError::of(failure, &evaluation.symbols))
    }

    /// The numbers of a question that may be asked.
    pub(super) fn question(
        &self,
        evaluation: &mut Evaluation<'_>,
        tuple: &RelationTuple,
    ) -> Result<(Userset, Subject), CheckError> {
        self.write_rules.check_subject_id(&tuple.subject)?;
        check_names(&evaluation.model.model, tuple)?;
        let RelationTuple { namespace, object, relation, subject } = tuple.clone();
        let userset = evaluation.userset(&SubjectSet { namespace, object, relation })?;
        if evaluation.model.schema.accepted(userset.namespace(), userset.relation()).is_none() {
            return Err(CheckError::UndeclaredRelation(tuple.relation.clone()));
        }
        Ok((userset, evaluation.subject(&subject)?))
    }

    pub(super) fn limits_of(&self, max_depth: Option<i64>) -> Limits {
        let most = self.limits.max_read_depth;
        let depth = max_depth.and_then(|depth| u16::try_from(depth).ok()).filter(|depth| (1..=most).contains(depth));
        Limits { depth: depth.unwrap_or(most), breadth: self.limits.max_read_width.into(), steps: MOST_STEPS }
    }
}
