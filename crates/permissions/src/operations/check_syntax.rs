//! Checks a text of the Ory Permission Language, without using it.

use permission_language::{Position, Problem, SourceFile, keto_position};

use crate::Permissions;
use crate::domain::checked_model::CheckedModel;

/// An error of a text. Positions are those that Keto reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    pub message: String,
    /// What to do about it.
    pub help: String,
    pub start: Position,
    pub end: Position,
}

impl Permissions {
    /// The errors of `text`, in the order of their places: one that follows the grammar may have several.
    pub async fn check_syntax(&self, text: String) -> Vec<SyntaxError> {
        // A long text takes a while and must not block other requests.
        let checked = tokio::task::spawn_blocking(move || errors(&text)).await;
        checked.unwrap_or_else(|error| {
            // The runtime stops: the answer is not sent any more.
            tracing::error!(error = &error as &dyn std::error::Error, "a text could not be checked");
            Vec::new()
        })
    }
}

fn errors(text: &str) -> Vec<SyntaxError> {
    let checked = CheckedModel::of(&[SourceFile { name: "", text }]);
    let error = |problem: &Problem| SyntaxError {
        message: problem.message.clone(),
        help: problem.remedy.clone(),
        start: keto_position(text, problem.span.start),
        end: keto_position(text, problem.span.end),
    };
    checked.problems.iter().filter(|problem| problem.kind.is_answered_by_syntax_check()).map(error).collect()
}
