//! `kleis permissions test`: runs the tests of a permission model on tuples in memory.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use permission_language::{Limits, Severity, SourceFile};
use permissions::domain::checked_model::CheckedModel;
use permissions::domain::model_test::{Finding, TestFile, run as run_test};
use serde_json::{Value, json};

use super::super::output::{self, Format};
use super::files::{self, ModelFile};

const HELP: &str = "\
A test file names a model, relation tuples, and the answers that questions must have:

  model_files: [model.ts]            # or model: with the text
  time: 2026-11-22T10:20:30Z         # the time of the requests
  tuples:
    - Doc:plan#viewers@Group:staff#members
    - Group:staff#members@User:ada
    - tuple: Doc:memo#viewers@User:bob
      condition: {name: officeHours, context: {until: 18}}
  tests:
    - name: members of a group read its documents
      context: {hour: 10}
      check:
        Doc:plan#view@User:ada: true
        Doc:plan#edit@User:ada: false
      list_objects:
        - {namespace: Doc, relation: view, subject: User:ada, objects: [plan]}
      list_subjects:
        - {object: Doc:plan, relation: view, subject_type: User, subjects: [ada]}

A failure is shown with the way that grants, or with what denies. The exit code is 1 if an answer
differs or a file is not valid.";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(in crate::cli) struct Arguments {
    /// Test files in YAML or JSON
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[arg(long, value_enum, default_value_t, help = "Output format")]
    format: Format,
}

/// What became of a file.
struct Tested {
    name: String,
    outcome: Result<Vec<Finding>, Vec<String>>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let tested: Vec<Tested> = arguments.files.iter().map(|path| test(path)).collect::<anyhow::Result<_>>()?;
    let findings = || tested.iter().flat_map(|it| it.outcome.iter().flatten());
    let failed = findings().filter(|it| it.actual.is_some()).count();
    let passed = findings().count() - failed;
    let invalid = tested.iter().filter(|it| it.outcome.is_err()).count();
    match arguments.format {
        Format::Table => tested.iter().try_for_each(show)?,
        Format::Json => output::json(&json!({
            "passed": passed,
            "failed": failed,
            "invalid_files": invalid,
            "files": tested.iter().map(document).collect::<Vec<_>>(),
        }))?,
    }
    let of_files = if invalid == 0 { String::new() } else { format!(", {invalid} of the files not valid") };
    eprintln!("{passed} passed, {failed} failed{of_files}");
    Ok(if failed == 0 && invalid == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn test(path: &Path) -> anyhow::Result<Tested> {
    let ModelFile { name, text, .. } = files::read(path)?;
    if text.len() > Limits::default().file_bytes {
        return Ok(Tested { name, outcome: Err(vec!["the file has more than 1 MiB: divide it".to_owned()]) });
    }
    let outcome = match TestFile::parse(&text) {
        Ok(file) => run_file(&file, path)?,
        // The parser does not know the name.
        Err(error) => Err(vec![error.to_string().replace("<input>", &name)]),
    };
    Ok(Tested { name, outcome })
}

fn run_file(file: &TestFile, path: &Path) -> anyhow::Result<Result<Vec<Finding>, Vec<String>>> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let texts = match &file.model {
        Some(text) => vec![ModelFile { path: PathBuf::new(), name: "model".to_owned(), text: text.clone() }],
        None => files::read_all(&file.model_files.iter().map(|name| folder.join(name)).collect::<Vec<_>>())?,
    };
    let sources: Vec<SourceFile<'_>> = texts.iter().map(ModelFile::source).collect();
    let checked = CheckedModel::of(&sources);
    let Some(model) = checked.model else {
        let errors = checked.problems.iter().filter(|it| it.severity() == Severity::Error);
        return Ok(Err(errors.map(|it| it.render(&sources).trim_end().to_owned()).collect()));
    };
    Ok(run_test(file, &model, &checked.conditions))
}

fn show(tested: &Tested) -> anyhow::Result<()> {
    let Tested { name, outcome } = tested;
    match outcome {
        Err(faults) => {
            for fault in faults {
                output::line(&format!(
                    "{name}: {}",
                    fault.lines().map(output::visible).collect::<Vec<_>>().join("\n")
                ))?;
            }
        }
        Ok(findings) => {
            for Finding { test, question, expected, actual, path } in findings {
                let Some(actual) = actual else { continue };
                output::line(&output::visible(&format!(
                    "{name}: {test}: {question}: expected {expected}, is {actual}"
                )))?;
                for line in path {
                    let indent = "  ".repeat(usize::from(line.level) + 2);
                    output::line(&format!("{indent}{}", output::visible(&line.text)))?;
                }
            }
        }
    }
    Ok(())
}

fn document(tested: &Tested) -> Value {
    let Tested { name, outcome } = tested;
    match outcome {
        Err(faults) => json!({ "file": name, "faults": faults }),
        Ok(findings) => {
            let results: Vec<Value> = findings.iter().map(of_finding).collect();
            json!({ "file": name, "results": results })
        }
    }
}

fn of_finding(finding: &Finding) -> Value {
    let Finding { test, question, expected, actual, path } = finding;
    let mut result = json!({ "test": test, "question": question, "expected": expected, "passed": actual.is_none() });
    if let Some(actual) = actual {
        result["actual"] = actual.as_str().into();
        result["path"] = path.iter().map(|line| json!({ "level": line.level, "text": line.text })).collect();
    }
    result
}
