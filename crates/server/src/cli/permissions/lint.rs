//! `kleis permissions lint`: checks the files of a permission model.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use permission_language::{Kind, Problem, Severity, SourceFile, Span, position};
use permissions::domain::checked_model::CheckedModel;
use serde_json::{Value, json};

use super::super::output::{self, Format};
use super::files::{self, ModelFile};

#[derive(Debug, Args)]
#[command(after_help = "\
All files are one model: each may refer to what another one declares.

The exit code is 1 when there is an error, and with --deny-warnings when there is a warning.")]
pub(in crate::cli) struct Arguments {
    /// Files or folders with .ts and .opl files; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Warnings are failures as well
    #[arg(long)]
    deny_warnings: bool,
    #[arg(long, value_enum, default_value_t, help = "Output format")]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let texts = files::read_all(&arguments.files)?;
    let sources: Vec<SourceFile<'_>> = texts.iter().map(ModelFile::source).collect();
    let mut checked = CheckedModel::of(&sources);
    if checked.model.as_ref().is_some_and(|model| model.namespaces.is_empty()) {
        checked.problems.push(no_namespace());
    }
    match arguments.format {
        Format::Table => {
            for problem in &checked.problems {
                output::raw(problem.render(&sources).as_bytes())?;
            }
        }
        Format::Json => output::json(&checked.problems.iter().map(|it| document(it, &sources)).collect())?,
    }
    let count = |severity| checked.problems.iter().filter(|it| it.severity() == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    eprintln!("{}: {errors} errors, {warnings} warnings", output::counted(texts.len(), "file", "files"));
    let is_good = checked.model.is_some() && errors == 0 && !(arguments.deny_warnings && warnings > 0);
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The language allows a model without namespaces, and a service does not load it.
fn no_namespace() -> Problem {
    Problem {
        kind: Kind::UndeclaredNamespace,
        file: 0,
        span: Span { start: 0, end: 0 },
        message: "the model declares no namespace".to_owned(),
        remedy: "declare a class, such as class User implements Namespace {}".to_owned(),
    }
}

/// Lines and columns begin with 1; a column counts characters.
fn document(problem: &Problem, sources: &[SourceFile<'_>]) -> Value {
    let (name, text) = sources.get(problem.file).map_or(("", ""), |it| (it.name, it.text));
    let (start, end) = (position(text, problem.span.start), position(text, problem.span.end));
    json!({
        "file": name,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "severity": problem.severity().to_string(),
        "message": problem.message,
        "help": problem.remedy,
    })
}
