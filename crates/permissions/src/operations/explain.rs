//! Whether a subject has a relation to an object, or a permission on it, and why.

use std::task::Poll;

use base::Context;

use super::check::{CheckError, CheckOptions, NoAnswer, number};
use super::evaluate::{Answered, EvaluateError, Numbers, Question};
use crate::Permissions;
use crate::domain::evaluation::Evaluator;
use crate::domain::evaluation::explain::Explanation;
use crate::domain::evaluation::reverse::Directory;
use crate::domain::explanation_text::{Line, Vocabulary};
use crate::domain::ids::{SubjectNumber, Userset};
use crate::domain::relation_tuple::RelationTuple;
use crate::domain::request_conditions::{Reasons, RequestConditions};

/// The answer of a check, and why.
#[derive(Debug)]
pub struct Explained {
    /// It has no answer if a limit was reached, or if a condition has no result.
    pub answer: Result<bool, CheckError>,
    /// The way that grants, or the nearest miss.
    pub steps: Vec<Line>,
}

/// An explanation in numbers of a reader, and why conditions have no result.
pub(super) struct Reasoned {
    explanation: Explanation,
    reasons: Reasons,
}

impl Reasoned {
    pub(super) fn find<R: Directory>(
        (userset, subject): (Userset, SubjectNumber),
        evaluator: &mut Evaluator<'_, R, RequestConditions<'_>>,
    ) -> Poll<Self> {
        evaluator.conditions().forget_reasons();
        let explanation = evaluator.explain(userset, subject);
        explanation.map(|explanation| Self { explanation, reasons: evaluator.conditions().take_reasons() })
    }

    pub(super) fn is_allowed(&self) -> bool {
        self.explanation.answer == Ok(true)
    }

    pub(super) fn present(self, tuple: &RelationTuple, numbers: &dyn Numbers) -> Explained {
        let Self { explanation, mut reasons } = self;
        let vocabulary =
            Vocabulary { symbols: numbers.symbols(), names: numbers.names(), question: tuple, reasons: &reasons };
        let steps = vocabulary.lines(&explanation);
        let no_answer = |failure| CheckError::of(NoAnswer::of(failure, &mut reasons), numbers);
        Explained { answer: explanation.answer.map_err(no_answer), steps }
    }
}

/// A check of a tuple with its reason.
struct WhyTuple<'a>(&'a RelationTuple);

impl Question for WhyTuple<'_> {
    type Numbered = (Userset, SubjectNumber);
    type Found = Reasoned;
    type Answer = Explained;

    fn number(&self, numbers: &mut (dyn Numbers + Send)) -> Result<Self::Numbered, EvaluateError> {
        number(self.0, numbers)
    }

    fn ask<'q, R: Directory>(
        &'q self,
        numbered: &Self::Numbered,
        evaluator: &mut Evaluator<'_, R, RequestConditions<'q>>,
    ) -> Poll<Reasoned> {
        Reasoned::find(*numbered, evaluator)
    }

    fn present(&self, found: Reasoned, numbers: &(dyn Numbers + Send)) -> Explained {
        found.present(self.0, numbers)
    }
}

impl Permissions {
    /// Checks one tuple and says why. The answer is that of [`Self::check`] with the same options.
    pub async fn explain(
        &self,
        cx: &Context,
        tuple: &RelationTuple,
        options: CheckOptions<'_>,
    ) -> Result<Answered<Explained>, CheckError> {
        let model = self.models.current()?;
        self.may_ask(&model, tuple)?;
        Ok(self.answer(cx, &self.asking(&model, options), &WhyTuple(tuple)).await?)
    }
}
