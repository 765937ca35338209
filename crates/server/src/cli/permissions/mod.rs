//! `kleis permissions`: permission models and relation tuples.
//!
//! `lint`, `test` and `format` work on files and need no server; the others call the APIs of a running service.

mod check;
mod documents;
mod files;
mod format;
mod lint;
mod remote;
mod status;
mod test;
mod tuples;

use std::process::ExitCode;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check a permission model: errors, and warnings about likely mistakes
    Lint(lint::Arguments),
    /// Run the tests of a permission model
    Test(test::Arguments),
    /// Write the files of a permission model in the canonical layout
    Format(format::Arguments),
    /// Ask whether a subject has a relation or permission
    Check(check::CheckArguments),
    /// Show the subjects that have a relation, as a tree
    Expand(check::ExpandArguments),
    /// Relation tuples: create, delete, get, parse, import, export
    #[command(subcommand, visible_alias = "relation-tuples")]
    Tuples(tuples::Command),
    /// Whether a running service is ready
    Status(status::Arguments),
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Lint(arguments) => lint::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Format(arguments) => format::run(&arguments),
        Command::Check(arguments) => check::check(arguments).await,
        Command::Expand(arguments) => check::expand(arguments).await,
        Command::Tuples(command) => tuples::run(command).await,
        Command::Status(arguments) => status::run(arguments).await,
    }
}
