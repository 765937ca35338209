//! Decides access requests, at one snapshot.
//!
//! Specification: `AuthZEN` Authorization API 1.0, sections "Access Evaluation API" and "Access Evaluations API".

use std::task::Poll;

use base::Context;

use super::batch_check::BatchCheckError;
use super::check::{CheckError, CheckOptions, NoAnswer, ask, number};
use super::evaluate::{Answered, EvaluateError, Numbers, Question, Shareable};
use super::explain::{Explained, Reasoned};
use super::shared_answers::AskedRequests;
pub use super::shared_answers::Decision;
use crate::Permissions;
use crate::domain::access::{AccessRequest, EvaluationsSemantic, RequestAttributes, canonical};
use crate::domain::consistency::Consistency;
use crate::domain::evaluation::Evaluator;
use crate::domain::evaluation::reverse::Directory;
use crate::domain::ids::{SubjectNumber, Userset};
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::request_conditions::RequestConditions;

#[derive(Clone, Copy, Debug, Default)]
pub struct AccessOptions {
    pub semantic: EvaluationsSemantic,
    pub consistency: Consistency,
    /// Whether the decisions come with their reasons.
    pub explains: bool,
}

/// The decisions of these requests, in their order, up to the one that ends them.
struct OfRequests {
    requests: Vec<AccessRequest>,
    options: AccessOptions,
}

enum Decided {
    Plain(Result<bool, NoAnswer>),
    Reasoned(Reasoned),
}

impl Question for OfRequests {
    type Numbered = Vec<(Userset, SubjectNumber)>;
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
        let decision = |(decided, request): (Decided, &AccessRequest)| match decided {
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

impl Shareable for OfRequests {
    type Asked = AskedRequests;

    fn asked(&self) -> AskedRequests {
        let asked = |AccessRequest { tuple, attributes }: &AccessRequest| {
            let RequestAttributes { subject, resource, action, context } = attributes;
            (tuple.clone(), [subject, resource, action, context].map(|object| object.as_ref().map(canonical)))
        };
        let AccessOptions { semantic, explains, .. } = self.options;
        AskedRequests { requests: self.requests.iter().map(asked).collect(), semantic, explains }
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
        self.require_batch_size(requests.len())?;
        let model = self.models.current()?;
        let (mut asked, mut checked) = (Vec::with_capacity(requests.len()), Vec::with_capacity(requests.len()));
        for request in requests {
            checked.push(match request {
                Ok(request) => {
                    self.may_ask(&model, &request.tuple).map_err(CheckError::from).map(|()| asked.push(request))
                }
                Err(invalid) => Err(invalid.into()),
            });
        }
        let question = OfRequests { requests: asked, options };
        let asking = self.asking(&model, CheckOptions { consistency: options.consistency, ..CheckOptions::default() });
        let Answered { answer, snapshot } = match self.answer_if_in_memory(cx, &asking, &question).await? {
            Some(answered) => answered,
            None => self.answer_from_tables(&self.access_evaluations, cx, &asking, question).await?,
        };
        let (mut answers, mut decisions) = (answer.into_iter(), Vec::with_capacity(checked.len()));
        for request in checked {
            // An earlier answer may have ended the evaluation.
            let refused = |error| Some(Decision { answer: Err(error), steps: None });
            let Some(decision) = request.map_or_else(refused, |()| answers.next()) else { break };
            let ends = options.semantic.ends_with(matches!(decision.answer, Ok(true)));
            decisions.push(decision);
            if ends {
                break;
            }
        }
        Ok(Answered { answer: decisions, snapshot })
    }
}
