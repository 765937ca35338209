//! `kleis permissions`: permission models and relation tuples.
//!
//! `lint`, `test` and `format` work on files and need no server.

mod files;
mod format;
mod lint;
mod test;

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
}

pub(super) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Lint(arguments) => lint::run(arguments),
        Command::Test(arguments) => test::run(arguments),
        Command::Format(arguments) => format::run(arguments),
    }
}
