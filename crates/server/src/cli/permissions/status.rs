//! `kleis permissions status`: whether a running service is ready.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use http::Method;

use super::super::output;
use super::remote::{CallError, Remotes, named_lines};

/// How often the service is asked with `--block`.
const INTERVAL: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// The API that is asked
    #[arg(long, value_enum, default_value_t)]
    endpoint: Endpoint,
    #[command(flatten)]
    remotes: Remotes,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Endpoint {
    #[default]
    Read,
    Write,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let remote = match arguments.endpoint {
        Endpoint::Read => arguments.remotes.read()?,
        Endpoint::Write => arguments.remotes.write()?,
    };
    loop {
        match remote.call(Method::GET, &["health", "ready"], &[], None).await {
            Ok(answer) => {
                output::line("SERVING")?;
                if let Some(warnings) = answer["warnings"].as_object() {
                    eprintln!("warning: {}", named_lines(warnings));
                }
                return Ok(ExitCode::SUCCESS);
            }
            Err(CallError::Unavailable(_)) if arguments.remotes.blocks() => tokio::time::sleep(INTERVAL).await,
            Err(error) => {
                output::line("NOT_SERVING")?;
                return Err(error.into());
            }
        }
    }
}
