//! `kleis completions`.

use std::process::ExitCode;

use crate::config::Service;

/// The completions of `kleis`, or of `keto` if its name was used.
pub(super) fn write(shell: clap_complete::Shell, called_as: Option<Service>) -> anyhow::Result<ExitCode> {
    let (mut command, name) = if called_as == Some(Service::PERMISSIONS) {
        (super::rewrite::keto_command(), "keto")
    } else {
        (super::command(), "kleis")
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    super::output::raw(&script)?;
    Ok(ExitCode::SUCCESS)
}
