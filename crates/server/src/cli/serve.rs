//! `kleis serve`: runs until a signal stops it.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Args;
use telemetry::{Output, ServiceName, Sink, Traces};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::arguments::{ConfigArguments, Selection};
use super::start_urls::Given;
use crate::config::{Config, Service};
use crate::{Environment, Running, VERSION, start, trust};

/// Run all services or the given ones.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kleis serve                              everything, without any configuration
  kleis serve -c kleis.yml                 everything, one file with a section for each service
  kleis serve identity -c kratos.yml       one service, with the file of the program that it replaces
  KLEIS_OAUTH_TTL_ACCESS_TOKEN=5m kleis serve oauth

Precedence, lowest first: defaults, files in their order, environment, flags. Faults are reported
together, those of types and values before those of addresses and files.
SIGTERM or Ctrl-C lets open requests finish; a second one stops immediately.")]
#[expect(clippy::struct_excessive_bools, reason = "one for each flag")]
pub(super) struct Arguments {
    #[arg(value_name = "SERVICE", help = Selection::help())]
    services: Vec<Selection>,
    #[command(flatten)]
    config: ConfigArguments,
    /// Relax checks for development: insecure cookies, cheap hashes, an issuer without TLS, a self-signed certificate
    /// where TLS is enabled without one
    // The alias is a flag of the replaced programs.
    #[arg(long, alias = "dangerous-force-http")]
    dev: bool,
    /// Refuse to start when migrations are missing, instead of applying them
    #[arg(long)]
    no_migrate: bool,
    /// IP address of the public listeners without a host; 0.0.0.0 for every address of this machine
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<std::net::IpAddr>,
    /// Start although the secrets do not match the database; data that other secrets sealed stays unreadable
    #[arg(long)]
    accept_new_secrets: bool,
    /// Accepted for command lines of the replaced programs: mail is always sent
    #[arg(long, hide = true)]
    watch_courier: bool,
    /// Accepted for command lines of the replaced programs: nothing is sent to anyone
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    sqa_opt_out: Option<String>,
}

pub(super) async fn run(arguments: Arguments, called_as: Option<Service>) -> anyhow::Result<ExitCode> {
    let services = Selection::services(&arguments.services);
    let config = arguments.config.load(&services, arguments.dev, called_as)?;
    let files = arguments.config.files(called_as, &super::environment());
    let environment = Environment {
        data_dir: arguments.config.data,
        migrate: !arguments.no_migrate,
        accept_new_secrets: arguments.accept_new_secrets,
        trust: trust::system(&super::environment())?,
        listen: arguments.listen,
        ..Environment::system()
    };
    let traces = install_telemetry(&config, &environment)?;
    let given = Given::new(&config, files);
    let mut signals = Signals::install()?;
    let running = tokio::select! {
        running = start(config, environment) => running?,
        () = signals.next() => return Ok(ExitCode::SUCCESS),
    };
    let failed = running.failed_checks().await;
    announce(&running, &failed);
    given.announce(&running, &failed);
    until_stopped(running, traces, signals).await
}

/// The signals that stop the program. Handlers are installed before anything is served, so that a signal after the first answer
/// always stops it in order.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(crate) fn install() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for a signal.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

pub(crate) fn install_telemetry(config: &Config, environment: &Environment) -> anyhow::Result<Traces> {
    let service = ServiceName { name: "kleis", version: VERSION };
    let output = Output { sink: Sink::stderr(), colours: std::io::stderr().is_terminal() };
    let clock = environment.clock.clone();
    let trust = trust::with_configured(&environment.trust, config)?;
    let (log, tracing) = (&config.shared.log, &config.shared.tracing);
    Ok(telemetry::install(service, log, tracing, &trust, clock, output)?)
}

/// `failed` has the checks that keep it from being ready.
pub(crate) fn announce(running: &Running, failed: &BTreeMap<String, String>) {
    for (service, listener, address, url) in running.addresses.iter() {
        tracing::info!(service = service.name(), listener, %address, url, "listening");
    }
    let database = running.database.engine_name();
    if failed.is_empty() {
        tracing::info!(version = VERSION, database, "ready");
        return;
    }
    for (check, reason) in failed {
        if running.logged.contains(reason) {
            tracing::error!(check, "not ready; the reason is logged above");
        } else {
            tracing::error!(check, "not ready: {reason}");
        }
    }
    tracing::warn!(version = VERSION, database, "running, and not ready");
}

/// Serves until a signal arrives, then shuts down in order.
pub(crate) async fn until_stopped(
    mut running: Running,
    traces: Traces,
    mut signals: Signals,
) -> anyhow::Result<ExitCode> {
    let code = tokio::select! {
        () = signals.next() => ExitCode::SUCCESS,
        () = running.failed() => {
            tracing::error!("a task of the server ended unexpectedly");
            ExitCode::FAILURE
        }
    };
    tracing::info!("stopping: open requests can finish");
    tokio::select! {
        () = running.shutdown() => {}
        () = signals.next() => tracing::warn!("stopped immediately"),
    }
    // The exporter waits a few seconds at most for its collector.
    tokio::task::spawn_blocking(move || traces.shut_down()).await?;
    Ok(code)
}
