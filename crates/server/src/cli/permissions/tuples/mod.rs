//! `kleis permissions tuples`: relation tuples of a running service.

mod export;
mod get;
mod import;
pub(super) mod migrate_subjects;
mod progress;
mod write;

use std::process::ExitCode;

use clap::Subcommand;

use super::hidden;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Create relation tuples, all or none
    #[command(mut_arg("read_remote", hidden))]
    Create(write::Arguments),
    /// Delete relation tuples, all or none
    #[command(mut_arg("read_remote", hidden))]
    Delete(write::Arguments),
    /// Delete all relation tuples that match
    DeleteAll(get::DeleteArguments),
    /// List relation tuples, a page at a time
    #[command(mut_arg("write_remote", hidden))]
    Get(get::Arguments),
    /// Show the relation tuples of files, without a server
    Parse(write::ParseArguments),
    /// Import relation tuples from a file of any size
    #[command(mut_arg("read_remote", hidden))]
    Import(import::Arguments),
    /// Export all relation tuples that match
    #[command(mut_arg("write_remote", hidden))]
    Export(export::Arguments),
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create(arguments) => write::run(arguments, "insert").await,
        Command::Delete(arguments) => write::run(arguments, "delete").await,
        Command::DeleteAll(arguments) => get::delete_all(arguments).await,
        Command::Get(arguments) => get::run(arguments).await,
        Command::Parse(arguments) => write::parse(&arguments),
        Command::Import(arguments) => import::run(arguments).await,
        Command::Export(arguments) => export::run(arguments).await,
    }
}
