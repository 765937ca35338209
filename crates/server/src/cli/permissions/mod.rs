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
    /// Ask whether a subject has a relation or permission, and why
    Explain(check::CheckArguments),
    /// Show the subjects that have a relation, as a tree
    Expand(check::ExpandArguments),
    /// List the objects that a subject has a relation to, or a permission on
    ListObjects(lists::ObjectsArguments),
    /// List the subjects that have a relation to an object, or a permission on it
    ListSubjects(lists::SubjectsArguments),
    /// List the relations that a subject has to an object, and the permissions on it
    ListRelations(lists::RelationsArguments),
    /// Relation tuples: create, delete, get, parse, import, export
    #[command(subcommand, visible_alias = "relation-tuples")]
    Tuples(tuples::Command),
    /// Turn plain subject ids into subject sets of a namespace
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
