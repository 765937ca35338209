//! The budgets: what the program costs, each figure beside its physical limit from the same run. A bare time says more
//! about the machine than about the program; a ratio says what is lost between the two.
//!
//! `cargo xtask bench` builds the release binary and runs this; its path is the one argument. Two figures that are compared
//! are measured in turns, a slice of one, a slice of the other, so that a noisy neighbour disturbs both alike.

mod code_flow;
mod durable_writes;
mod gateway;
mod growth;
mod identity;
mod load;
mod oauth;
mod program;
mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use load::{Outcome, Shot, fire};
use program::Program;
use report::Report;

/// How long one slice of a measurement lasts, and how many there are of each kind.
const SLICE: Duration = Duration::from_millis(800);
const SLICES: usize = 5;

/// Enough to keep two cores busy.
const CONNECTIONS: usize = 32;

const MEGABYTE: f64 = 1024.0 * 1024.0;

fn main() -> ExitCode {
    // `cargo test --benches` runs this without the path: there is nothing to test then.
    let Some(binary) = std::env::args().skip(1).find(|argument| !argument.starts_with("--")).map(PathBuf::from) else {
        eprintln!("run `cargo xtask bench`");
        return ExitCode::SUCCESS;
    };
    match run(&binary) {
        Ok(report) => {
            println!("{}", report.table());
            if report.all_kept() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(binary: &Path) -> Result<Report> {
    let mut report = Report::default();
    starts(binary, &mut report).await?;
    let upstream = acceptance::upstream::Upstream::start().await?;
    let program = Program::start(binary, config(&upstream.url())).await?;
    #[expect(clippy::cast_precision_loss, reason = "megabytes for people")]
    let idle = program.resident_bytes()? as f64 / MEGABYTE;
    report.at_most("resident memory, idle", idle, "MB", 40.0);
    idle_traffic(&program, &mut report).await?;
    let identity = identity::measure(&program, &mut report).await;
    report.note("whoami, password sign-in", &identity);
    let tokens = oauth::measure(&program, &mut report).await;
    report.note("tokens and introspection", &tokens);
    let proxied = gateway::measure(&program, identity.ok().as_deref(), &mut report).await;
    report.note("gateway", &proxied);
    #[expect(clippy::cast_precision_loss, reason = "megabytes for people")]
    let loaded = program.resident_bytes()? as f64 / MEGABYTE;
    report.at_most("resident memory, after load", loaded, "MB", 120.0);
    let grown = growth::measure(&program, &mut report).await;
    report.note("growth from 10^3 to 10^6 people", &grown);
    drop(program);
    let program = Program::start(binary, own_login_application()).await?;
    let code_flow = code_flow::measure(&program, &mut report).await;
    report.note("code-flow login", &code_flow);
    let signed = oauth::measure_signed(&program, &mut report).await;
    report.note("client-credentials token, ES256", &signed);
    drop(program);
    let durable = durable_writes::measure(&mut report).await;
    report.note("durable writes", &durable);
    report.absent("permission check", "the permissions service is not here yet");
    Ok(report)
}

/// What the measured server is told: nothing that makes it faster than it is out of the box, and two rules.
fn config(upstream: &str) -> Value {
    json!({
        "log": { "level": "warn" },
        "secrets": { "cipher": [growth::CIPHER_SECRET] },
        "identity": { "selfservice": { "methods": { "password": { "config": { "haveibeenpwned_enabled": false } } } } },
        "gateway": gateway::config(upstream),
    })
}

/// A team with its own login application, whose tokens are signed with ES256.
fn own_login_application() -> Value {
    let mut config = code_flow::config();
    config["log"] = json!({ "level": "warn" });
    config["oauth"]["oauth2"] = json!({ "keys": { "algorithm": "ES256" } });
    config
}

/// From nothing to ready, in an empty folder: secrets, keys and migrations included.
async fn starts(binary: &Path, report: &mut Report) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..SLICES {
        times.push(Program::start(binary, json!({ "log": { "level": "warn" } })).await?.ready_after);
    }
    times.sort_unstable();
    let median = times.get(times.len() / 2).context("no start")?;
    report.at_most("start to ready, empty folder", median.as_secs_f64() * 1000.0, "ms", 300.0);
    Ok(())
}

async fn idle_traffic(program: &Program, report: &mut Report) -> Result<()> {
    // As long as the longest of the background's rounds.
    const WHILE: Duration = Duration::from_mins(1);
    let admin = program.ports.identity_admin;
    let before = program.metric(admin, "sql_statements_total").await?;
    tokio::time::sleep(WHILE).await;
    let after = program.metric(admin, "sql_statements_total").await?;
    report.at_most("idle database traffic", (after - before) / WHILE.as_secs_f64(), "statements/s", 1.0);
    Ok(())
}

/// Fires two shots in turns; the medians of their slices.
async fn in_turns(one: &Shot, other: &Shot, connections: usize) -> Result<(f64, f64)> {
    let (mut ones, mut others) = (Vec::new(), Vec::new());
    let mut latencies = Outcome::default();
    // The first slice fills caches and connections, and does not count.
    fire(one, connections, SLICE / 2).await?;
    fire(other, connections, SLICE / 2).await?;
    for _ in 0..SLICES {
        let outcome = fire(one, connections, SLICE).await?;
        ones.push(outcome.per_second());
        latencies.absorb(outcome);
        others.push(fire(other, connections, SLICE).await?.per_second());
    }
    eprintln!("    p50 {:?}, p99 {:?}", latencies.percentile(0.5), latencies.percentile(0.99));
    Ok((median(&mut ones), median(&mut others)))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
