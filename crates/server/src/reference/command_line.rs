//! `command-line.md`: the help of every command.

use std::fmt::Write as _;

use clap::Command;

const INTRODUCTION: &str = "\
# Command line

`kleis help COMMAND` and `kleis COMMAND --help` show the same. This page is made by `cargo xtask docs`.
";

pub(super) fn document() -> String {
    let mut text = INTRODUCTION.to_owned();
    let mut command = without_values(crate::cli::command().term_width(100).disable_help_subcommand(true));
    command.build();
    write(&mut text, command);
    text
}

/// The help lists environment variables without their values.
fn without_values(command: Command) -> Command {
    command.mut_args(|argument| argument.hide_env_values(true)).mut_subcommands(without_values)
}

fn write(text: &mut String, mut command: Command) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    let help = command.render_long_help().to_string();
    // Writing to a `String` cannot fail.
    let _ = write!(text, "\n## `{name}`\n\n```text\n");
    for line in help.trim_end().lines() {
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text.push_str("```\n");
    let subcommands: Vec<Command> = command.get_subcommands().filter(|it| !it.is_hide_set()).cloned().collect();
    for subcommand in subcommands {
        write(text, subcommand);
    }
}
