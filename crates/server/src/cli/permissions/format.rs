//! `kleis permissions format`: writes the files of a permission model in the canonical layout.
//!
//! Invariant: a file is written only if all files can be formatted, and only if its text changes.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::super::output;
use super::files;

#[derive(Debug, Args)]
#[command(after_help = "\
If a file has a syntax error, no file is written. Comments stay.

Examples:
  kleis permissions format model.ts
  kleis permissions format --check models/
  kleis permissions format - < model.ts")]
pub(in crate::cli) struct Arguments {
    /// Files or folders with .ts and .opl files; - is standard input, which is written to standard output
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write nothing: list the files that would change, and exit with 1 if there are any
    #[arg(long)]
    check: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let texts = files::read_all(&arguments.files)?;
    let mut formatted = Vec::new();
    let mut has_errors = false;
    for text in &texts {
        match permission_language::format(&text.text) {
            Ok(layout) => formatted.push((text, layout)),
            Err(problems) => {
                has_errors = true;
                for problem in problems {
                    eprint!("{}", problem.render(&[text.source()]));
                }
            }
        }
    }
    if has_errors {
        return Ok(ExitCode::FAILURE);
    }
    let mut would_change = false;
    for (text, layout) in formatted {
        let is_changed = layout != text.text;
        if arguments.check {
            would_change |= is_changed;
            if is_changed {
                output::line(&text.name)?;
            }
        } else if text.is_standard_input() {
            output::raw(layout.as_bytes())?;
        } else if is_changed {
            std::fs::write(&text.path, layout).with_context(|| format!("{} cannot be written", text.name))?;
            eprintln!("formatted {}", text.name);
        }
    }
    Ok(if would_change { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
