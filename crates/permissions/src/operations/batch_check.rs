//! Several checks at once: what they lack is read together.

use std::task::Poll;

use base::Context;

use super::check::{CheckError, CheckOptions};
use super::evaluate::Evaluation;
use crate::Permissions;
use crate::components::models::Unloaded;
use crate::domain::evaluation::Failure;
use crate::domain::ids::{Subject, Userset};
use crate::domain::relation_tuple::RelationTuple;

#[derive(Debug, thiserror::Error)]
pub enum BatchCheckError {
    #[error(transparent)]
    Unloaded(#[from] Unloaded),
    #[error("batch exceeds max size of {0}")]
    TooLarge(u16),
    #[error(transparent)]
    Evaluate(#[from] super::evaluate::EvaluateError),
}

/// A question, and its answer when it is known.
struct Question {
    userset: Userset,
    subject: Subject,
    answer: Option<Result<bool, Failure>>,
}

impl Permissions {
    /// Checks tuples; the answers have their order. A tuple that cannot be checked does not affect the others.
    pub async fn batch_check(
        &self,
        cx: &Context,
        tuples: &[RelationTuple],
        options: CheckOptions<'_>,
    ) -> Result<Vec<Result<bool, CheckError>>, BatchCheckError> {
        if tuples.len() > usize::from(self.limits.batch_size()) {
            return Err(BatchCheckError::TooLarge(self.limits.batch_size()));
        }
        let model = self.models.current()?;
        let mut evaluation = Evaluation::new(&model, self.limits_of(options.max_depth), options.context);
        let mut questions = Vec::new();
        for tuple in tuples {
            let numbers = self.question(&mut evaluation, tuple);
            questions.push(numbers.map(|(userset, subject)| Question { userset, subject, answer: None }));
        }
        self.evaluate(cx, &mut evaluation, |evaluator| {
            let mut is_pending = false;
            for question in questions.iter_mut().flatten().filter(|it| it.answer.is_none()) {
                match evaluator.check(question.userset, question.subject) {
                    Poll::Ready(answer) => question.answer = Some(answer),
                    Poll::Pending => is_pending = true,
                }
            }
            if is_pending { Poll::Pending } else { Poll::Ready(()) }
        })
        .await?;
        let answered = |question: Question| match question.answer {
            Some(Ok(allowed)) => Ok(allowed),
            Some(Err(failure)) => Err(CheckError::of(failure, &evaluation.symbols)),
            // Every question was answered.
            None => Ok(false),
        };
        Ok(questions.into_iter().map(|question| question.and_then(answered)).collect())
    }
}
