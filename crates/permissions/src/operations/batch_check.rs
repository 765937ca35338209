//! Several checks at once, at one snapshot: what they lack is read together.

use std::sync::Arc;
use std::task::Poll;

use base::Context;

use super::check::{CheckError, CheckOptions, NoAnswer, ask, number};
use super::evaluate::{Answered, EvaluateError, Numbers, Question, Shareable};
use crate::Permissions;
use crate::components::models::Unloaded;
use crate::domain::evaluation::Evaluator;
use crate::domain::evaluation::reverse::Directory;
use crate::domain::ids::{SubjectNumber, Userset};
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::relation_tuple::RelationTuple;
use crate::domain::request_conditions::RequestConditions;

#[derive(Debug, thiserror::Error)]
pub enum BatchCheckError {
    #[error(transparent)]
    Unloaded(#[from] Unloaded),
    #[error("batch exceeds max size of {0}")]
    TooLarge(u16),
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
}

/// The checks of these tuples, in their order.
struct OfTuples(Arc<[RelationTuple]>);

impl Question for OfTuples {
    type Numbered = Vec<(Userset, SubjectNumber)>;
    type Found = Vec<Result<bool, NoAnswer>>;
    type Answer = Vec<Result<bool, CheckError>>;

    fn number(&self, numbers: &mut (dyn Numbers + Send)) -> Result<Self::Numbered, EvaluateError> {
        self.0.iter().map(|tuple| number(tuple, numbers)).collect()
    }

    fn ask<'q, R: Directory>(
        &'q self,
        numbered: &Self::Numbered,
        evaluator: &mut Evaluator<'_, R, RequestConditions<'q>>,
    ) -> Poll<Self::Found> {
        let mut answers = Vec::with_capacity(numbered.len());
        // All of them are asked before anything is read.
        for numbered in numbered {
            answers.extend(match ask(evaluator, *numbered) {
                Poll::Ready(answer) => Some(answer),
                Poll::Pending => None,
            });
        }
        if answers.len() == numbered.len() { Poll::Ready(answers) } else { Poll::Pending }
    }

    fn present(&self, found: Self::Found, numbers: &(dyn Numbers + Send)) -> Self::Answer {
        found.into_iter().map(|answer| answer.map_err(|no_answer| CheckError::of(no_answer, numbers))).collect()
    }
}

impl Shareable for OfTuples {
    type Asked = Arc<[RelationTuple]>;

    fn asked(&self) -> Self::Asked {
        self.0.clone()
    }
}

impl Permissions {
    /// Refuses lists that are too long. Whoever makes more of a request than it holds asks first.
    pub(crate) fn require_batch_size(&self, count: usize) -> Result<(), BatchCheckError> {
        let most = self.limits.batch_size();
        if count > usize::from(most) { Err(BatchCheckError::TooLarge(most)) } else { Ok(()) }
    }

    /// Checks tuples; the answers have their order. A tuple that cannot be checked, or that is refused already, does not affect the
    /// others.
    pub async fn batch_check(
        &self,
        cx: &Context,
        tuples: Vec<Result<RelationTuple, InvalidTuple>>,
        options: CheckOptions<'_>,
    ) -> Result<Answered<Vec<Result<bool, CheckError>>>, BatchCheckError> {
        self.require_batch_size(tuples.len())?;
        let model = self.models.current()?;
        let (mut asked, mut refused) = (Vec::with_capacity(tuples.len()), Vec::with_capacity(tuples.len()));
        for tuple in tuples {
            let checked = tuple.map_err(CheckError::from).and_then(|tuple| {
                self.may_ask(&model, &tuple)?;
                Ok(tuple)
            });
            match checked {
                Ok(tuple) => {
                    asked.push(tuple);
                    refused.push(None);
                }
                Err(error) => refused.push(Some(error)),
            }
        }
        let (asking, question) = (self.asking(&model, options), OfTuples(asked.into()));
        let answered = match self.answer_if_in_memory(cx, &asking, &question).await? {
            Some(answered) => answered,
            None => self.answer_from_tables(&self.batches, cx, &asking, question).await?,
        };
        Ok(answered.map(|answers| {
            let mut answers = answers.into_iter();
            // As many answers as tuples that were asked about.
            let result = |refused: Option<CheckError>| refused.map_or_else(|| answers.next().unwrap_or(Ok(false)), Err);
            refused.into_iter().map(result).collect()
        }))
    }
}
