//! `create`, `delete` and `parse`: relation tuples from arguments and from files.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::super::output::{self, Format};
use super::super::remote::{CallError, Remotes, of_change};
use super::super::{documents, files};

const COLUMNS: &[&str] = &["namespace", "object", "relation", "subject", "condition", "expires_at"];
/// The largest file. `import` reads larger ones.
const MOST_BYTES: u64 = 10 * 1024 * 1024;

#[derive(Debug, Args)]
#[command(after_help = "\
A file has a relation tuple as a JSON object, an array of them, or one in each line, as JSON or as text:
  Doc:plan#viewers@Group:staff#members

Examples:
  kleis permissions tuples create User:ada viewers Doc:plan
  kleis permissions tuples create Doc:plan#viewers@User:ada
  kleis permissions tuples create -f tuples.json -f more/
  kleis permissions tuples delete User:ada viewers Doc:plan")]
pub(in crate::cli) struct Arguments {
    /// SUBJECT RELATION NAMESPACE:OBJECT, or NAMESPACE:OBJECT#RELATION@SUBJECT; or files
    #[arg(value_name = "TUPLE", num_args = 0..=4, conflicts_with = "files")]
    tuple: Vec<String>,
    /// Files or folders; - is standard input
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    remotes: Remotes,
    #[command(flatten)]
    presentation: Presentation,
}

/// How relation tuples are printed.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Presentation {
    #[arg(long, value_enum, default_value_t, help = "Output format")]
    format: Format,
    /// Print only the texts of the relation tuples, as Keto does
    #[arg(short = 'q', long, hide = true)]
    quiet: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ParseArguments {
    /// Files or folders with relation tuples, or their texts; - is standard input
    #[arg(value_name = "FILE", required_unless_present = "files")]
    names: Vec<String>,
    /// As FILE
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    presentation: Presentation,
}

impl Presentation {
    pub(super) fn is_json(self) -> bool {
        self.format == Format::Json && !self.quiet
    }
}

/// One transaction.
pub(super) async fn run(arguments: Arguments, action: &str) -> anyhow::Result<ExitCode> {
    let tuples = match arguments.tuple.as_slice() {
        [] if arguments.files.is_empty() => bail!("write SUBJECT RELATION NAMESPACE:OBJECT, or name files with --file"),
        [subject, relation, object @ ..] if !object.is_empty() => {
            vec![documents::of_arguments(subject, relation, object)?]
        }
        // Older versions of Keto's command line took files as arguments.
        names => all_of(names, &arguments.files)?,
    };
    let changes: Vec<Value> = tuples.iter().map(|tuple| json!({ "action": action, "relation_tuple": tuple })).collect();
    let path = ["admin", "relation-tuples"];
    let called = arguments.remotes.write()?.call(Method::PATCH, &path, &[], Some(&changes.into())).await;
    if let Err(CallError::Refused { status: StatusCode::PAYLOAD_TOO_LARGE, .. }) = &called {
        bail!("too many relation tuples for one transaction: kleis permissions tuples import sends them in parts");
    }
    if let Err(CallError::Refused { reason, .. }) = &called
        && let Some((index, reason)) = of_change(reason)
    {
        if tuples.len() == 1 {
            bail!("{reason}");
        }
        bail!("relation tuple {}: {reason}", index + 1);
    }
    called?;
    show(arguments.presentation, &tuples)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn parse(arguments: &ParseArguments) -> anyhow::Result<ExitCode> {
    let ParseArguments { names, files, presentation } = arguments;
    show(*presentation, &all_of(names, files)?)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints relation tuples. In a table the subject is one text.
pub(super) fn show(presentation: Presentation, tuples: &[Value]) -> anyhow::Result<()> {
    if presentation.is_json() {
        return output::json(&tuples.into());
    }
    if presentation.quiet {
        return tuples.iter().map(documents::text).try_for_each(|it| output::line(&output::visible(&it)));
    }
    let with_subject = |tuple: &Value| {
        let mut row = tuple.clone();
        row["subject"] = documents::subject_text(tuple).unwrap_or_default().into();
        row
    };
    output::rows(presentation.format, COLUMNS, &tuples.iter().map(with_subject).collect::<Vec<_>>())
}

/// The relation tuples of arguments, which are texts of tuples or names of files, and of files.
fn all_of(arguments: &[String], files: &[PathBuf]) -> anyhow::Result<Vec<Value>> {
    let mut tuples = Vec::new();
    for argument in arguments {
        if argument == "-" || Path::new(argument).exists() {
            tuples.extend(of_files(&[argument.into()])?);
        } else if let Ok(tuple) = documents::of_line(argument) {
            tuples.push(tuple);
        } else {
            bail!(
                "\"{argument}\" is neither a file nor a relation tuple; write SUBJECT RELATION NAMESPACE:OBJECT, for example User:ada \
                 viewers Doc:plan, or NAMESPACE:OBJECT#RELATION@SUBJECT, for example Doc:plan#viewers@User:ada"
            );
        }
    }
    tuples.extend(of_files(files)?);
    if tuples.is_empty() {
        bail!("the files have no relation tuples");
    }
    Ok(tuples)
}

fn of_files(paths: &[PathBuf]) -> anyhow::Result<Vec<Value>> {
    let files = files::find_all(paths, |_| true)?;
    let mut tuples = Vec::new();
    for file in files {
        let text = read(&file)?;
        tuples.extend(documents::of_file(&text).with_context(|| format!("{} is not valid", file.display()))?);
    }
    Ok(tuples)
}

fn read(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let unreadable = || format!("{} cannot be read", path.display());
    let count = if path == Path::new("-") {
        std::io::stdin().lock().take(MOST_BYTES + 1).read_to_string(&mut text)
    } else {
        let file = std::fs::File::open(path).with_context(unreadable)?;
        file.take(MOST_BYTES + 1).read_to_string(&mut text)
    };
    if count.with_context(unreadable)? as u64 > MOST_BYTES {
        bail!("{} has more than 10 MiB: use kleis permissions tuples import", path.display());
    }
    Ok(text)
}
