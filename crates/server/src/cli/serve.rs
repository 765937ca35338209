//! `kleis serve`: runs until it is told to stop.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Args;
use telemetry::{Output, ServiceName, Sink, Traces};
use tokio::signal::unix::{SignalKind, signal};

use super::arguments::ConfigArguments;
use crate::config::{Config, Service};
use crate::{Environment, Running, VERSION, start, trust};

/// Run the services: all of them, or those that are named.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kleis serve                              everything, without any configuration
  kleis serve -c kleis.yml                 everything, one file with a section for each service
  kleis serve identity -c kratos.yml       one service, with the file of the program that it replaces
  KLEIS_OAUTH_TTL_ACCESS_TOKEN=5m kleis serve oauth

Later wins: defaults, files in their order, environment, flags. Faults are reported all at once.
SIGTERM or Ctrl-C lets open requests finish; a second one ends at once.")]
pub(super) struct Arguments {
    /// identity, oauth, gateway; all of them when none is named
    #[arg(value_name = "SERVICE")]
    services: Vec<Service>,
    #[command(flatten)]
    config: ConfigArguments,
    /// Relax what would hinder work on one's own machine: insecure cookies, cheap hashes, an issuer without TLS
    #[arg(long)]
    dev: bool,
    /// Refuse to start when migrations are missing, instead of applying them
    #[arg(long)]
    no_migrate: bool,
    /// Start although the secrets do not fit the database; what was sealed under other secrets stays unreadable
    #[arg(long)]
    accept_new_secrets: bool,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let config = arguments.config.load(&arguments.services, arguments.dev)?;
    let environment = Environment {
        data_dir: arguments.config.data,
        migrate: !arguments.no_migrate,
        accept_new_secrets: arguments.accept_new_secrets,
        trust: trust::system(&super::environment())?,
        ..Environment::system()
    };
    let traces = install_telemetry(&config, &environment)?;
    warn_of_keys_without_effect(&config);
    let running = start(config, environment).await?;
    announce(&running);
    until_stopped(running, traces).await
}

pub(crate) fn install_telemetry(config: &Config, environment: &Environment) -> anyhow::Result<Traces> {
    let service = ServiceName { name: "kleis", version: VERSION };
    let output = Output { sink: Sink::stderr(), colours: std::io::stderr().is_terminal() };
    let clock = environment.clock.clone();
    let trust = trust::with_configured(&environment.trust, config)?;
    let (log, tracing) = (&config.shared.log, &config.shared.tracing);
    Ok(telemetry::install(service, log, tracing, &trust, clock, output)?)
}

fn warn_of_keys_without_effect(config: &Config) {
    for fault in &config.without_effect {
        tracing::warn!(key = fault.path, "{}", fault.message);
    }
}

pub(crate) fn announce(running: &Running) {
    for (service, listener, address, url) in running.addresses.iter() {
        tracing::info!(service = service.name(), listener, %address, url, "listening");
    }
    tracing::info!(version = VERSION, database = running.database.engine_name(), "ready");
}

/// Serves until a signal comes, then ends in order.
pub(crate) async fn until_stopped(mut running: Running, traces: Traces) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let code = tokio::select! {
        _ = terminate.recv() => ExitCode::SUCCESS,
        _ = interrupt.recv() => ExitCode::SUCCESS,
        () = running.failed() => {
            tracing::error!("a part of the server ended by itself");
            ExitCode::FAILURE
        }
    };
    tracing::info!("stopping: open requests may finish");
    tokio::select! {
        () = running.shutdown() => {}
        _ = terminate.recv() => tracing::warn!("stopped at once"),
        _ = interrupt.recv() => tracing::warn!("stopped at once"),
    }
    // The exporter waits for its collector, for some seconds at most.
    tokio::task::spawn_blocking(move || traces.shut_down()).await?;
    Ok(code)
}
