//! The fuzz targets, compiled by the compiler of this repository: fuzzing needs another one, and happens seldom. Each target runs on
//! its seeds, so that a seed is never an input that the target fails for.

#![expect(clippy::expect_used, clippy::panic, reason = "a target fails by a panic")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

/// In place of the macro of `libfuzzer-sys`: a target of bytes or of a text can run on a seed, others are only compiled.
macro_rules! compiled {
    (|$input:ident: &[u8]| $body:block) => {
        pub(crate) fn run_on_seed(seed: &[u8]) {
            fn target($input: &[u8]) $body
            target(seed);
        }
    };
    (|$input:ident: &str| $body:block) => {
        pub(crate) fn run_on_seed(seed: &[u8]) {
            fn target($input: &str) $body
            if let Ok(seed) = std::str::from_utf8(seed) {
                target(seed);
            }
        }
    };
    (|$input:ident: $type:ty| $body:block) => {
        pub(crate) fn run_on_seed(_: &[u8]) {
            fn target($input: $type) $body
            let _: fn($type) = target;
        }
    };
}
pub(crate) use compiled as fuzz_target;

macro_rules! targets {
    ($($name:ident)+) => {
        #[path = "../../../../../fuzz/fuzz_targets"]
        mod targets {
            $(
                #[expect(unused_attributes, reason = "a target is a program without `main` of its own")]
                pub(super) mod $name;
            )+
        }

        const TARGETS: &[(&str, fn(&[u8]))] = &[$((stringify!($name), targets::$name::run_on_seed),)+];
    };
}

targets! {
    accept authorization_request client_credentials client_metadata configuration cookies csrf_token duration form_fields
    forwarded_headers gateway_target header_template identifier identity_schema import json_body json_patch json_web_key
    json_web_token mail_template page_token parameters permission_condition permission_language permission_requests permission_test
    redirect_uri request_path return_to rule_document sealed_value tuple_import url_pattern
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

#[test]
fn every_target_is_compiled_and_is_a_program_of_the_fuzzer() -> Result<()> {
    let here: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(fuzz().join("fuzz_targets"))? {
        let path = entry?.path();
        files.insert(path.file_stem().and_then(|stem| stem.to_str()).context("a name")?.to_owned());
    }
    ensure!(here == files, "{here:?}, but the files are {files:?}");
    let manifest = std::fs::read_to_string(fuzz().join("Cargo.toml"))?;
    let programs = manifest.split("[[bin]]\nname = \"").skip(1).filter_map(|rest| rest.split('"').next());
    let programs: BTreeSet<String> = programs.map(str::to_owned).collect();
    ensure!(here == programs, "{here:?}, but the programs are {programs:?}");
    for (name, _) in TARGETS {
        let text = std::fs::read_to_string(fuzz().join(format!("fuzz_targets/{name}.rs")))?;
        let imports = text.lines().filter_map(|line| line.strip_prefix("use ")?.split([':', ';']).next());
        for import in imports.filter(|name| *name != "std") {
            let dependency = import.replace('_', "-");
            let is_listed = [import, &dependency].iter().any(|name| manifest.contains(&format!("\n{name} = ")));
            ensure!(is_listed, "{name} uses {import}, which is no dependency of fuzz/Cargo.toml");
        }
    }
    Ok(())
}

#[test]
fn every_target_runs_on_its_seeds() -> Result<()> {
    let mut folders = BTreeSet::new();
    for entry in std::fs::read_dir(fuzz().join("seeds"))? {
        folders.insert(entry?.file_name().into_string().ok().context("a name")?);
    }
    for (name, run) in TARGETS {
        run(b"");
        if !folders.remove(*name) {
            continue;
        }
        for entry in std::fs::read_dir(fuzz().join("seeds").join(name))? {
            run(&std::fs::read(entry?.path())?);
        }
    }
    ensure!(folders.is_empty(), "seeds without a target: {folders:?}");
    Ok(())
}
