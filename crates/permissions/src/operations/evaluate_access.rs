//! Decides access requests, at one snapshot.
//!
//! Specification: `AuthZEN` Authorization API 1.0, sections "Access Evaluation API" and "Access Evaluations API".

use std::task::Poll;

use base::Context;

use super::batch_check::BatchCheckError;
use super::check::{CheckError, CheckOptions, number};
use super::evaluate::{Answered, EvaluateError, Numbers, Question};
use crate::Permissions;
use crate::domain::access::{AccessRequest, EvaluationsSemantic};
use crate::domain::evaluation::reverse::Directory;
use crate::domain::evaluation::{Evaluator, Failure};
use crate::domain::ids::{Subject, Userset};
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::request_conditions::RequestConditions;

/// The decisions of these requests, in their order, up to the one that ends them.
struct OfRequests<'a> {
    requests: Vec<&'a AccessRequest>,
    semantic: EvaluationsSemantic,
}

impl Question for OfRequests<'_> {
    type Numbered = Vec<(Userset, Subject)>;
    type Found = Vec<Result<bool, Failure>>;
    type Answer = Vec<Result<bool, CheckError>>;

    fn number(&self, numbers: &mut (dyn Numbers + Send)) -> Result<Self::Numbered, EvaluateError> {
        self.requests.iter().map(|request| number(&request.tuple, numbers)).collect()
    }

    fn ask<'q, R: Directory>(
        &'q self,
        numbered: &Self::Numbered,
        evaluator: &mut Evaluator<'_, R, RequestConditions<'q>>,
    ) -> Poll<Self::Found> {
        let (mut answers, mut is_pending) = (Vec::with_capacity(numbered.len()), false);
        for (request, (userset, subject)) in self.requests.iter().zip(numbered) {
            evaluator.conditions().read(&request.attributes);
            match evaluator.check(*userset, *subject) {
                Poll::Ready(answer) => {
                    answers.push(answer);
                    if self.semantic.ends_with(answer == Ok(true)) {
                        break;
                    }
                }
                // What the following ones lack is read together with this.
                Poll::Pending => is_pending = true,
            }
        }
        if is_pending { Poll::Pending } else { Poll::Ready(answers) }
    }

    fn present(&self, found: Self::Found, numbers: &(dyn Numbers + Send)) -> Self::Answer {
        found.into_iter().map(|answer| answer.map_err(|failure| CheckError::of(failure, numbers))).collect()
    }
}

impl Permissions {
    /// The decisions in the order of the requests; those behind the one that ends them are left out. A request that is not valid,
    /// or cannot be decided, counts as denied.
    pub async fn evaluate_access(
        &self,
        cx: &Context,
        requests: Vec<Result<AccessRequest, InvalidTuple>>,
        semantic: EvaluationsSemantic,
    ) -> Result<Vec<Result<bool, CheckError>>, BatchCheckError> {
        if requests.len() > usize::from(self.limits.max_batch_check_size.max(1)) {
            return Err(BatchCheckError::TooLarge(self.limits.max_batch_check_size));
        }
        let model = self.models.current()?;
        let checked = requests.into_iter().map(|request| {
            let request = request?;
            self.may_ask(&model, &request.tuple)?;
            Ok(request)
        });
        let checked: Vec<Result<AccessRequest, CheckError>> = checked.collect();
        let question = OfRequests { requests: checked.iter().flatten().collect(), semantic };
        let Answered { answer, .. } = self.answer(cx, &self.asking(&model, CheckOptions::default()), &question).await?;
        let (mut answers, mut decisions) = (answer.into_iter(), Vec::with_capacity(checked.len()));
        for request in checked {
            // An earlier answer may have ended the evaluation.
            let Some(decision) = request.map_or_else(|error| Some(Err(error)), |_| answers.next()) else { break };
            let ends = semantic.ends_with(matches!(decision, Ok(true)));
            decisions.push(decision);
            if ends {
                break;
            }
        }
        Ok(decisions)
    }
}
