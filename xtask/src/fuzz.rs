//! Fuzzes every parser for a limited time, and compares the ways to evaluate permissions on random cases.
//!
//! The targets are in `fuzz/`, a workspace of its own, because the sanitizer requires the nightly compiler. Their seeds are in
//! `fuzz/seeds/`. The comparison is `crates/permissions/benches/differential.rs`.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};

use crate::process::Process;

/// The name of the comparison, beside those of the targets.
const DIFFERENTIAL: &str = "differential";

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// The time of each target.
    pub(crate) seconds: u32,
    /// The cases of the comparison.
    pub(crate) cases: u64,
    /// The seed of its first case; by default one that no other run has.
    pub(crate) seed: Option<u64>,
    /// How many subjects of a case are asked for; all of them if it is absent.
    pub(crate) subjects: Option<usize>,
}

pub(crate) fn run(root: &Path, target: Option<&str>, effort: Effort) -> Result<()> {
    let known = targets(root)?;
    let chosen: Vec<&str> = match target {
        None => known.iter().map(String::as_str).chain([DIFFERENTIAL]).collect(),
        Some(target) if target == DIFFERENTIAL || known.iter().any(|it| it == target) => vec![target],
        Some(target) => bail!("no target `{target}`; there are: {}, {DIFFERENTIAL}", known.join(", ")),
    };
    // It comes last, and a failed target does not leave it out.
    let (differential, targets): (Vec<&str>, Vec<&str>) = chosen.into_iter().partition(|it| *it == DIFFERENTIAL);
    let fuzzed = fuzz(root, &targets, effort.seconds);
    let compared = if differential.is_empty() { Ok(()) } else { compare(root, effort) };
    fuzzed.and(compared)
}

#[expect(clippy::disallowed_methods, reason = "each run compares other cases; the printed seed repeats it")]
fn compare(root: &Path, Effort { cases, seed, subjects, .. }: Effort) -> Result<()> {
    let seed = match seed {
        Some(seed) => seed,
        None => SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?.as_secs(),
    };
    let (cases, seed) = (cases.to_string(), seed.to_string());
    let bench = ["bench", "--package", "permissions", "--features", "testing", "--bench", DIFFERENTIAL, "--"];
    let subjects = subjects.map(|it| it.to_string());
    let mut options = vec!["--cases", &cases, "--seed", &seed];
    options.extend(subjects.iter().flat_map(|it| ["--subjects", it]));
    let compared = Process::cargo(root, &[&bench[..], &options].concat()).run();
    compared.with_context(|| format!("`cargo xtask fuzz {DIFFERENTIAL} {}` repeats the run", options.join(" ")))
}

fn fuzz(root: &Path, targets: &[&str], seconds: u32) -> Result<()> {
    let limit = format!("-max_total_time={seconds}");
    for target in targets {
        let corpus = format!("fuzz/corpus/{target}");
        std::fs::create_dir_all(root.join(&corpus)).with_context(|| format!("cannot create {corpus}"))?;
        // The seeds are valid examples. New inputs are written to the corpus, which is not committed.
        let seeds = format!("fuzz/seeds/{target}");
        let mut arguments = vec!["+nightly", "fuzz", "run", *target, corpus.as_str()];
        if root.join(&seeds).is_dir() {
            arguments.push(&seeds);
        }
        // A target that exceeds the memory limit leaks; an input that exceeds the time limit could block a server.
        arguments.extend(["--", &limit, "-rss_limit_mb=2048", "-timeout=5", "-print_final_stats=1"]);
        // SQLite's amalgamation defines one of its tables twice, which does not concern our parsers.
        let fuzzer = Process::new(root, "cargo", &arguments).with_env("ASAN_OPTIONS", "detect_odr_violation=0");
        fuzzer.without_cargo_variables().run().with_context(|| {
            "fuzzing needs `rustup toolchain install nightly` and `cargo install cargo-fuzz`; a crash is kept in fuzz/artifacts"
        })?;
    }
    Ok(())
}

fn targets(root: &Path) -> Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in std::fs::read_dir(root.join("fuzz/fuzz_targets")).context("cannot list the targets")? {
        let path = entry?.path();
        targets.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
    }
    targets.sort();
    Ok(targets)
}
