//! The commands of this repository, for people and for the build server.
//!
//! Invariant: a command prints each step, and fails with a sentence that says what to do. It requires only Rust and a C compiler,
//! except for the tests, which need PostgreSQL and Chromium, `conformance` and `fuzz`; CONTRIBUTING.md says what these need.

mod conformance;
mod fuzz;
mod process;
mod steps;
mod tidy;
mod tools;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Work on Kleis.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the fast checks: tidy, formatting, lints.
    Check,
    /// Format, and apply the suggestions of the lints.
    Fix,
    /// Run everything that must pass before a change is merged: tidy, formatting, lints, all tests on both databases.
    Test {
        /// Run only the tests whose names contain this text; the other steps are skipped.
        filter: Option<String>,
    },
    /// Run the tests and accept every changed snapshot; read the difference before you commit it.
    Accept {
        /// Only the tests whose names contain this text.
        filter: Option<String>,
    },
    /// Measure the release binary, each figure beside its physical limit from the same run.
    Bench {
        /// Only this group; an unknown one lists all of them.
        group: Option<String>,
    },
    /// Fuzz every parser, and compare the ways to evaluate permissions on random models and tuples.
    ///
    /// The long run of the comparison, before a release, is `cargo xtask fuzz differential --cases 1000000 --subjects 1`.
    Fuzz {
        /// Only this target, a file of `fuzz/fuzz_targets`, or `differential`, the comparison.
        target: Option<String>,
        /// How long each target runs.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// How many random cases are compared in memory; a hundredth of them on the tables of each database.
        #[arg(long, default_value_t = 20_000)]
        cases: u64,
        /// The seed of the first case; another one in each run if omitted.
        #[arg(long)]
        seed: Option<u64>,
        /// How many subjects of each case are asked for, chosen by chance; all, about ten, if omitted.
        #[arg(long)]
        subjects: Option<usize>,
    },
    /// Run third-party programs against the real server: official clients, the guides' applications, front ends.
    ///
    /// Every suite runs even if one fails; each passed check is a line, and the last lines are a summary. Everything happens on
    /// loopback and in a temporary folder that is deleted at the end; dependencies in Rust are kept in `target/conformance`.
    /// Libraries come from the registries of Rust, Node, Python and Go; Chromium, nginx and caddy are installed by apt-get if
    /// it exists and the command runs as root. With `--binary` all suites take about ten minutes on two cores, or three when
    /// the dependencies are built.
    Conformance {
        /// Only this suite; each lists the required programs
        suite: Option<conformance::Suite>,
        /// The `kleis` to test, for instance a release; built from this repository when omitted.
        #[arg(long)]
        binary: Option<PathBuf>,
    },
    /// Write the reference in `docs/reference/`: the configuration, its JSON schema, the command line.
    Docs,
    /// Check the invariants of ARCHITECTURE.md: dependencies between crates, layers, file sizes, forbidden words.
    Tidy,
}

fn main() -> ExitCode {
    let root = repository_root();
    let outcome = match Cli::parse().command {
        Command::Check => steps::check(&root),
        Command::Fix => steps::fix(&root),
        Command::Test { filter } => steps::test(&root, filter.as_deref()),
        Command::Accept { filter } => steps::accept(&root, filter.as_deref()),
        Command::Bench { group } => steps::bench(&root, group.as_deref()),
        Command::Fuzz { target, seconds, cases, seed, subjects } => {
            fuzz::run(&root, target.as_deref(), fuzz::Effort { seconds, cases, seed, subjects })
        }
        Command::Conformance { suite, binary } => conformance::run(&root, suite, binary),
        Command::Docs => steps::docs(&root),
        Command::Tidy => steps::tidy(&root),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder above this package.
fn repository_root() -> PathBuf {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    package.parent().map_or_else(|| package.clone(), PathBuf::from)
}
