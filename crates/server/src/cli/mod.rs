//! The command line.
//!
//! Data goes to standard output, everything else to standard error. The exit code is 0 when a command succeeded.

mod api;
mod arguments;
mod client_fields;
mod completions;
mod demo;
pub(crate) mod doctor;
mod identity;
mod migrate;
mod oauth;
mod output;
mod permissions;
mod rewrite;
mod serve;
mod start_urls;

pub use demo::{RunningDemo, start_on_ports};
pub use permissions::relation_tuples_of_file;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use output::Format;
use rewrite::Rewritten;

use crate::config::Service;

/// Sign-in, OAuth 2.0, permissions and an access gateway in one binary.
///
/// `kleis serve` needs no configuration: it keeps a SQLite database and generated secrets in ./kleis-data, listens on
/// loopback, and shows the mail it would send. `kleis demo` adds a sample application to try it with.
#[derive(Debug, Parser)]
#[command(
    name = "kleis",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = "\
First steps:
  kleis demo                       run everything with a sample application
  kleis serve                      run all services; the log shows their URLs
  kleis doctor -c kleis.yml        check a configuration
  kleis identity list              list the identities of a running server
  kleis oauth client create --help register an application
  kleis permissions check --help   ask whether somebody may do something

Exit codes: 0 success, 1 failure, 2 invalid command line."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run all services or the given ones
    Serve(serve::Arguments),
    /// Run everything with a sample application and a sample API behind the gateway
    Demo(demo::Arguments),
    /// Apply or list database migrations
    Migrate(migrate::Arguments),
    /// Check a configuration: cookies, URLs, CORS, proxies, clock, mail, database
    Doctor(doctor::Arguments),
    /// Identities: list, get, create, import, delete
    #[command(subcommand, visible_alias = "identities")]
    Identity(identity::Command),
    /// OAuth 2.0: clients
    #[command(subcommand)]
    Oauth(oauth::Command),
    /// Permissions: models and relation tuples
    #[command(subcommand)]
    Permissions(permissions::Command),
    /// Show the version
    Version {
        #[arg(long, value_enum, default_value_t, help = "Output format")]
        format: Format,
    },
    /// Write the completions of a shell to standard output
    #[command(after_help = "\
Examples:
  kleis completions bash > ~/.local/share/bash-completion/completions/kleis
  kleis completions zsh > ~/.zfunc/_kleis      with fpath+=~/.zfunc before compinit in ~/.zshrc
  kleis completions fish > ~/.config/fish/completions/kleis.fish")]
    Completions { shell: clap_complete::Shell },
}

/// The command line, for the generated reference.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

/// Parses the command line and runs the command.
pub fn main() -> ExitCode {
    let (arguments, called_as) = match rewrite::rewrite(arguments()) {
        Rewritten::Arguments(arguments, called_as) => (arguments, called_as),
        Rewritten::Answer { text, is_success } => {
            eprintln!("{text}");
            return if is_success { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        Rewritten::KetoHelp => {
            let printed = output::raw(rewrite::keto_command().render_help().to_string().as_bytes());
            return printed.map_or_else(|error| print_error(&error), |()| ExitCode::SUCCESS);
        }
    };
    let cli = match parsed(&arguments) {
        Ok(cli) => cli,
        Err(error) if called_as == Some(Service::PERMISSIONS) => return print_in_words_of_keto(&error),
        Err(error) => error.exit(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return print_error(&error.into()),
    };
    match runtime.block_on(run(cli.command, called_as)) {
        Ok(code) => code,
        Err(error) => print_error(&error),
    }
}

fn parsed(arguments: &[std::ffi::OsString]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(arguments)
}

/// Prints a help, or what is wrong with a command line.
fn print_in_words_of_keto(error: &clap::Error) -> ExitCode {
    let text = rewrite::in_words_of_keto(&error.render().to_string());
    if error.use_stderr() {
        eprint!("{text}");
        return ExitCode::from(2);
    }
    output::raw(text.as_bytes()).map_or_else(|error| print_error(&error), |()| ExitCode::SUCCESS)
}

async fn run(command: Command, called_as: Option<Service>) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(arguments) => serve::run(arguments, called_as).await,
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Migrate(arguments) => migrate::run(arguments, called_as).await,
        Command::Doctor(arguments) => doctor::run(&arguments, called_as).await,
        Command::Identity(command) => identity::run(command).await,
        Command::Oauth(command) => oauth::run(command).await,
        Command::Permissions(command) => permissions::run(command).await,
        Command::Version { format } => output::version(format),
        Command::Completions { shell } => completions::write(shell, called_as),
    }
}

/// Prints an error and its causes, one per line.
fn print_error(error: &anyhow::Error) -> ExitCode {
    eprintln!("kleis: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because: {cause}");
    }
    ExitCode::FAILURE
}

fn arguments() -> Vec<std::ffi::OsString> {
    std::env::args_os().collect()
}

/// The environment as texts; variables that are not valid Unicode are skipped.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn environment() -> Vec<(String, String)> {
    std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
