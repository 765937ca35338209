//! Texts of the Ory Permission Language.

use permission_language::{Problem, SourceFile};

use super::document::Document;
use super::loaded::Parsed;
use crate::domain::checked_model::CheckedModel;

/// The extensions of files in a folder.
pub(super) const EXTENSIONS: &[&str] = &["ts", "opl"];

/// The errors that a message quotes.
const MOST_ERRORS: usize = 5;

/// The model that the documents declare together. Problems that do not prevent it are logged.
pub(super) fn parse(documents: &[Document]) -> Result<Parsed, String> {
    let files: Vec<SourceFile<'_>> =
        documents.iter().map(|Document { name, text }| SourceFile { name, text }).collect();
    let checked = CheckedModel::of(&files);
    let Some(model) = checked.model else {
        let errors: Vec<&Problem> = checked.problems.iter().filter(|it| it.kind.prevents_loading()).collect();
        let mut message: String = errors.iter().take(MOST_ERRORS).map(|it| it.render(&files)).collect();
        if errors.len() > MOST_ERRORS {
            message.push_str("and more\n");
        }
        return Err(message.trim_end().to_owned());
    };
    for problem in &checked.problems {
        tracing::warn!("{}", problem.render(&files).trim_end());
    }
    Ok(Parsed { model, conditions: checked.conditions })
}
