//! Fuzzes every parser for a limited time. The targets are in `fuzz/`, a workspace of its own, because the sanitizer requires
//! the nightly compiler. Their seeds are in `fuzz/seeds/`.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::process::Process;

pub(crate) fn run(root: &Path, target: Option<&str>, seconds: u32) -> Result<()> {
    let known = targets(root)?;
    let chosen: Vec<&str> = match target {
        None => known.iter().map(String::as_str).collect(),
        Some(target) if known.iter().any(|it| it == target) => vec![target],
        Some(target) => bail!("no target `{target}`; there are: {}", known.join(", ")),
    };
    let limit = format!("-max_total_time={seconds}");
    for target in chosen {
        let corpus = format!("fuzz/corpus/{target}");
        std::fs::create_dir_all(root.join(&corpus)).with_context(|| format!("cannot create {corpus}"))?;
        // The seeds are valid examples. New inputs are written to the corpus, which is not committed.
        let seeds = format!("fuzz/seeds/{target}");
        let mut arguments = vec!["+nightly", "fuzz", "run", target, corpus.as_str()];
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
