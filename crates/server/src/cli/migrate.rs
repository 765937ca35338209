//! `kleis migrate`.

use std::process::ExitCode;

use base::Clock;
use clap::{Args, Subcommand};
use database::{Database, Dsn, MigrationSet, MigrationState, MigrationStatus};
use serde_json::json;

use super::arguments::ConfigArguments;
use super::output::{self, Format};
use crate::config::{Config, Faults, Service};
use crate::data_dir::DataDir;
use crate::storage::foreign_tables;

/// Apply or list database migrations.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  kleis migrate up -c kleis.yml
  kleis migrate -c kratos.yml              the tables of the service that the file is for
  kleis migrate sql -e --yes               as the replaced programs; the database comes from DSN"
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    up: Up,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Apply missing migrations; safe to run on several nodes at once
    Up(Up),
    /// Show every migration and whether it is applied; exit code 1 when one is missing
    Status(Status),
    /// Migrations go forward only: restore a backup instead
    #[command(hide = true)]
    Down(Up),
    /// As the replaced programs
    #[command(hide = true)]
    Sql(Sql),
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
struct Sql {
    #[command(subcommand)]
    command: Option<SqlCommand>,
    #[command(flatten)]
    up: Up,
}

#[derive(Debug, Subcommand)]
enum SqlCommand {
    Up(Up),
    Down(Up),
    Status(Status),
}

#[derive(Debug, Args)]
struct Up {
    #[command(flatten)]
    config: ConfigArguments,
    #[command(flatten)]
    classic: Classic,
}

#[derive(Debug, Args)]
struct Status {
    #[command(flatten)]
    config: ConfigArguments,
    #[command(flatten)]
    classic: Classic,
    #[arg(long, value_enum, default_value_t, help = "Output format")]
    format: Format,
}

/// Arguments that the replaced programs take in addition.
#[derive(Debug, Args)]
struct Classic {
    /// The database, as --dsn
    #[arg(value_name = "DSN", hide = true)]
    database: Option<String>,
    /// The environment is always read
    #[arg(short = 'e', long, hide = true)]
    read_from_env: bool,
    /// Nothing is asked
    #[arg(short = 'y', long, hide = true)]
    yes: bool,
    #[arg(long, hide = true)]
    steps: Option<u32>,
}

pub(super) async fn run(arguments: Arguments, called_as: Option<Service>) -> anyhow::Result<ExitCode> {
    match arguments.command {
        None => up(arguments.up, called_as).await,
        Some(
            Command::Up(arguments)
            | Command::Sql(Sql { command: None, up: arguments } | Sql { command: Some(SqlCommand::Up(arguments)), .. }),
        ) => up(arguments, called_as).await,
        Some(Command::Status(arguments) | Command::Sql(Sql { command: Some(SqlCommand::Status(arguments)), .. })) => {
            status(arguments, called_as).await
        }
        Some(Command::Down(_) | Command::Sql(Sql { command: Some(SqlCommand::Down(_)), .. })) => down(),
    }
}

fn down() -> anyhow::Result<ExitCode> {
    anyhow::bail!(
        "migrations go forward only: an older version runs beside newer tables; to undo more, restore a backup"
    )
}

async fn up(arguments: Up, called_as: Option<Service>) -> anyhow::Result<ExitCode> {
    let (database, sets) = open(&arguments.config, &arguments.classic, called_as).await?;
    refuse_foreign(&database).await?;
    let applied = database.migrate(&sets, Clock::system().now()).await?;
    for step in &applied {
        eprintln!("applied {} {} {}", step.service, step.version, step.name);
    }
    eprintln!("{} migrations applied, the database is up to date", applied.len());
    Ok(ExitCode::SUCCESS)
}

async fn status(arguments: Status, called_as: Option<Service>) -> anyhow::Result<ExitCode> {
    let (database, sets) = look(&arguments.config, &arguments.classic, called_as).await?;
    let steps = database.migration_status(&sets).await?;
    let state = |state| if state == MigrationState::Applied { "applied" } else { "pending" };
    let row = |step: &MigrationStatus| json!({"service": step.service, "version": step.version, "name": step.name, "state": state(step.state)});
    let rows: Vec<_> = steps.iter().map(row).collect();
    output::rows(arguments.format, &["service", "version", "name", "state"], &rows)?;
    let is_behind = steps.iter().any(|step| step.state == MigrationState::Pending);
    Ok(if is_behind { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A database of a replaced program is never changed.
async fn refuse_foreign(database: &Database) -> anyhow::Result<()> {
    let programs = foreign_tables::programs(&mut database.read(base::TenantId::DEFAULT)).await?;
    match programs.first() {
        Some(program) => anyhow::bail!(foreign_tables::message(program)),
        None => Ok(()),
    }
}

/// The configuration of the services whose tables are migrated: those that the files are for, or all of them, because nodes may
/// run different services.
fn load(arguments: &ConfigArguments, classic: &Classic, called_as: Option<Service>) -> Result<Config, Faults> {
    let dsn = classic.database.clone().or(arguments.dsn.clone());
    let arguments = ConfigArguments { dsn, ..arguments.clone() };
    let config = arguments.load(&[], false, called_as)?;
    let only = config.classic_services();
    if only.is_empty() || called_as.is_some() { Ok(config) } else { arguments.load(&only, false, called_as) }
}

/// Like [`open`], but creates nothing: without a database, every migration is missing.
async fn look(
    arguments: &ConfigArguments,
    classic: &Classic,
    called_as: Option<Service>,
) -> anyhow::Result<(Database, Vec<MigrationSet>)> {
    let config = load(arguments, classic, called_as)?;
    if config.shared.dsn.is_some() || arguments.data.join("kleis.db").exists() {
        return open(arguments, classic, called_as).await;
    }
    Ok((Database::open(&Dsn::memory()).await?, crate::wiring::migrations_of(&config)))
}

async fn open(
    arguments: &ConfigArguments,
    classic: &Classic,
    called_as: Option<Service>,
) -> anyhow::Result<(Database, Vec<MigrationSet>)> {
    let config = load(arguments, classic, called_as)?;
    let dsn: Dsn = match &config.shared.dsn {
        Some(dsn) => dsn.expose().parse()?,
        None => Dsn::sqlite(DataDir::open(&arguments.data)?.database()?),
    };
    let trust = crate::trust::with_configured(&crate::trust::system(&super::environment())?, &config)?;
    Ok((Database::open(&dsn.trusting(&trust)).await?, crate::wiring::migrations_of(&config)))
}
