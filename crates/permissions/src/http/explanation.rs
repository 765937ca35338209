//! Why a check has its answer, as JSON.

use serde::Serialize;

use crate::domain::explanation_text::Line;

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ExplanationDocument {
    /// The way that grants.
    Path(Vec<StepDocument>),
    /// The way that came nearest, and what it lacks.
    NearestMiss(Vec<StepDocument>),
}

/// A step. The operands of an expression are one level deeper than the expression.
#[derive(Debug, Serialize)]
pub(super) struct StepDocument {
    level: u16,
    text: String,
}

impl ExplanationDocument {
    pub(super) fn of(is_allowed: bool, steps: Vec<Line>) -> Self {
        let steps = steps.into_iter().map(|Line { level, text }| StepDocument { level, text }).collect();
        if is_allowed { Self::Path(steps) } else { Self::NearestMiss(steps) }
    }

    /// Of a question that was not evaluated.
    pub(super) fn of_refusal(reason: String) -> Self {
        Self::NearestMiss(vec![StepDocument { level: 0, text: reason }])
    }
}
