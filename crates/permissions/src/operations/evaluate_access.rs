//! Decides access requests, at one snapshot.
//!
//! Specification: `AuthZEN` Authorization API 1.0, sections "Access Evaluation API" and "Access Evaluations API".

use std::task::Poll;

use base::Context;

use super::batch_check::BatchCheckError;
use super::check::{CheckError, CheckOptions, NoAnswer, ask, number};
use super::evaluate::{Answered, EvaluateError, Numbers, Question};
use super::explain::{Explained, Reasoned};
use crate::Permissions;
use crate::domain::access::{AccessRequest, EvaluationsSemantic};
use crate::domain::consistency::Consistency;
use crate::domain::evaluation::Evaluator;
use crate::domain::evaluation::reverse::Directory;
use crate::domain::explanation_text::Line;
use crate::domain::ids::{Subject, Userset};
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::request_conditions::RequestConditions;

#[derive(Clone, Copy, Debug, Default)]
pub struct AccessOptions {
    pub semantic: EvaluationsSemantic,
    pub consistency: Consistency,
    /// Whether the decisions come with their reasons.
    pub explains: bool,
}

/// What was decided about a request.
#[derive(Debug)]
pub struct Decision {
    pub answer: Result<bool, CheckError>,
    /// The way that grants, or the nearest miss, if it was asked for and the request was evaluated.
    pub steps: Option<Vec<Line>>,
}

/// The decisions of these requests, in their order, up to the one that ends them.
struct OfRequests<'a> {
    requests: Vec<&'a AccessRequest>,
    options: AccessOptions,
}

enum Decided {
    Plain(Result<bool, NoAnswer>),
    Reasoned(Reasoned),
}

impl Question for OfRequests<'_> {
    type Numbered = Vec<(Userset, Subject)>;
    type Found = Vec<Decided>;
    type Answer = Vec<Decision>;

    fn number(&self, numbers: &mut (dyn Numbers + Send)) -> Result<Self::Numbered, EvaluateError> {
        self.requests.iter().map(|request| number(&request.tuple, numbers)).collect()
    }

    fn ask<'q, R: Directory>(
        &'q self,
        numbered: &Self::Numbered,
        evaluator: &mut Evaluator<'_, R, RequestConditions<'q>>,
    ) -> Poll<Self::Found> {
        let (mut answers, mut is_pending) = (Vec::with_capacity(numbered.len()), false);
        for (request, &(userset, subject)) in self.requests.iter().zip(numbered) {
            evaluator.conditions().read(&request.attributes);
            let decided = if self.options.explains {
                Reasoned::find((userset, subject), evaluator).map(Decided::Reasoned)
            } else {
                ask(evaluator, (userset, subject)).map(Decided::Plain)
            };
            match decided {
                Poll::Ready(decided) => {
                    let is_allowed = decided.is_allowed();
                    answers.push(decided);
                    if self.options.semantic.ends_with(is_allowed) {
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
        let decision = |(decided, request): (Decided, &&AccessRequest)| match decided {
            Decided::Plain(answer) => {
                Decision { answer: answer.map_err(|no_answer| CheckError::of(no_answer, numbers)), steps: None }
            }
            Decided::Reasoned(reasoned) => {
                let Explained { answer, steps } = reasoned.present(&request.tuple, numbers);
                Decision { answer, steps: Some(steps) }
            }
        };
        found.into_iter().zip(&self.requests).map(decision).collect()
    }
}

impl Decided {
    fn is_allowed(&self) -> bool {
        match self {
            Self::Plain(answer) => matches!(answer, Ok(true)),
            Self::Reasoned(reasoned) => reasoned.is_allowed(),
        }
    }
}

impl Permissions {
    /// The decisions in the order of the requests; those behind the one that ends them are left out. A request that is not valid,
    /// or cannot be decided, counts as denied.
    pub async fn evaluate_access(
        &self,
        cx: &Context,
        requests: Vec<Result<AccessRequest, InvalidTuple>>,
        options: AccessOptions,
    ) -> Result<Answered<Vec<Decision>>, BatchCheckError> {
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
        let question = OfRequests { requests: checked.iter().flatten().collect(), options };
        let asking = self.asking(&model, CheckOptions { consistency: options.consistency, ..CheckOptions::default() });
        let Answered { answer, snapshot } = self.answer(cx, &asking, &question).await?;
        let (mut answers, mut decisions) = (answer.into_iter(), Vec::with_capacity(checked.len()));
        for request in checked {
            // An earlier answer may have ended the evaluation.
            let refused = |error| Some(Decision { answer: Err(error), steps: None });
            let Some(decision) = request.map_or_else(refused, |_| answers.next()) else { break };
            let ends = options.semantic.ends_with(matches!(decision.answer, Ok(true)));
            decisions.push(decision);
            if ends {
                break;
            }
        }
        Ok(Answered { answer: decisions, snapshot })
    }
}
