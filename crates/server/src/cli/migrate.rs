//! `kleis migrate`.

use std::process::ExitCode;

use base::Clock;
use clap::{Args, Subcommand};
use database::{Database, Dsn, MigrationState};
use serde_json::json;

use super::arguments::ConfigArguments;
use super::output::{self, Format};
use crate::data_dir::DataDir;

/// Bring the database up to date, or show what is missing.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Apply what is missing; safe to run on several nodes at once
    Up {
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// Show every migration and whether it was applied; ends with 1 when one is missing
    Status {
        #[command(flatten)]
        config: ConfigArguments,
        #[arg(long, value_enum, default_value_t, help = "How to show it: a table for people, JSON for programs")]
        format: Format,
    },
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Up { config } => {
            let (database, sets) = open(&config).await?;
            let applied = database.migrate(&sets, Clock::system().now()).await?;
            for step in &applied {
                eprintln!("applied {} {} {}", step.service, step.version, step.name);
            }
            eprintln!("{} migrations applied, the database is up to date", applied.len());
            Ok(ExitCode::SUCCESS)
        }
        Command::Status { config, format } => {
            let (database, sets) = look(&config).await?;
            let steps = database.migration_status(&sets).await?;
            let state = |state| if state == MigrationState::Applied { "applied" } else { "pending" };
            let rows: Vec<_> = steps
                .iter()
                .map(|step| {
                    json!({"service": step.service, "version": step.version, "name": step.name, "state": state(step.state)})
                })
                .collect();
            output::rows(format, &["service", "version", "name", "state"], &rows)?;
            let is_behind = steps.iter().any(|step| step.state == MigrationState::Pending);
            Ok(if is_behind { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
    }
}

/// As [`open`], and leaves no trace: where there is no database yet, everything is missing.
async fn look(arguments: &ConfigArguments) -> anyhow::Result<(Database, Vec<database::MigrationSet>)> {
    let config = arguments.load(&[], false)?;
    if config.shared.dsn.is_some() || arguments.data.join("kleis.db").exists() {
        return open(arguments).await;
    }
    Ok((Database::open(&Dsn::memory()).await?, crate::wiring::migrations_of(&config)))
}

async fn open(arguments: &ConfigArguments) -> anyhow::Result<(Database, Vec<database::MigrationSet>)> {
    let config = arguments.load(&[], false)?;
    let dsn: Dsn = match &config.shared.dsn {
        Some(dsn) => dsn.expose().parse()?,
        None => Dsn::sqlite(DataDir::open(&arguments.data)?.database()?),
    };
    // The tables of every service: which of them run may differ between nodes.
    let trust = crate::trust::with_configured(&crate::trust::system(&super::environment())?, &config)?;
    Ok((Database::open(&dsn.trusting(&trust)).await?, crate::wiring::migrations_of(&config)))
}
