//! `kleis permissions`: permission models and relation tuples.
//!
//! `lint`, `test` and `format` work on files and need no server; the others call the APIs of a running service.

mod check;
mod documents;
mod files;
mod format;
mod lint;
mod lists;
mod remote;
mod status;
mod test;
mod tuples;

pub use documents::of_file as relation_tuples_of_file;

use std::process::ExitCode;

use clap::{Arg, Subcommand};

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  kleis permissions explain User:ada view Doc:plan
  kleis permissions explain ada owner Doc:plan        a subject id

It is `kleis permissions check --explain`: the answer, and why.
The exit code is 0 for both answers, and 1 when there is none: a limit was reached, or a
namespace or relation does not exist.";

/// For an argument that a command accepts, because it shares it with others or Keto has it, and that has no meaning for it.
fn hidden(argument: Arg) -> Arg {
    argument.hide(true)
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check a permission model: errors, and warnings about likely mistakes
    Lint(lint::Arguments),
    /// Run the tests of a permission model
    Test(test::Arguments),
    /// Write the files of a permission model in the canonical layout
    Format(format::Arguments),
    /// Ask whether a subject has a relation or permission
    #[command(mut_arg("write_remote", hidden))]
    Check(check::CheckArguments),
    /// Ask whether a subject has a relation or permission, and why
    #[command(mut_arg("write_remote", hidden), mut_arg("explain", hidden), after_help = EXPLAIN_EXAMPLES)]
    Explain(check::CheckArguments),
    /// Show the subjects that have a relation, as a tree
    #[command(mut_arg("write_remote", hidden))]
    Expand(check::ExpandArguments),
    /// List the objects that a subject has a relation to, or a permission on
    #[command(mut_arg("write_remote", hidden))]
    ListObjects(lists::ObjectsArguments),
    /// List the subjects that have a relation to an object, or a permission on it
    #[command(mut_arg("write_remote", hidden))]
    ListSubjects(lists::SubjectsArguments),
    /// List the relations that a subject has to an object, and the permissions on it
    #[command(mut_arg("write_remote", hidden))]
    ListRelations(lists::RelationsArguments),
    /// Relation tuples: create, delete, get, parse, import, export
    #[command(subcommand, visible_alias = "relation-tuples")]
    Tuples(tuples::Command),
    /// Turn plain subject ids into subject sets of a namespace
    #[command(mut_arg("read_remote", hidden))]
    MigrateSubjects(tuples::migrate_subjects::Arguments),
    /// Whether a running service is ready
    Status(status::Arguments),
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Lint(arguments) => lint::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Format(arguments) => format::run(&arguments),
        Command::Check(arguments) => check::check(arguments).await,
        Command::Explain(arguments) => check::explain(arguments).await,
        Command::Expand(arguments) => check::expand(arguments).await,
        Command::ListObjects(arguments) => lists::objects(arguments).await,
        Command::ListSubjects(arguments) => lists::subjects(arguments).await,
        Command::ListRelations(arguments) => lists::relations(arguments).await,
        Command::Tuples(command) => tuples::run(command).await,
        Command::MigrateSubjects(arguments) => tuples::migrate_subjects::run(arguments).await,
        Command::Status(arguments) => status::run(arguments).await,
    }
}
