//! `kleis completions`.

use std::process::ExitCode;

use clap::CommandFactory as _;

pub(super) fn write(shell: clap_complete::Shell) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::Cli::command(), "kleis", &mut script);
    super::output::raw(&script)?;
    Ok(ExitCode::SUCCESS)
}
