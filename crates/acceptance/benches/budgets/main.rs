//! The budgets: the cost of the program, each figure compared with its physical limit from the same run. A time alone depends
//! mostly on the machine; the ratio shows what the program loses.
//!
//! `cargo xtask bench` builds the release binary and runs this with its path, and with the name of a group to run only that
//! group. Two figures that are compared are measured in alternating slices, so that other programs on the machine affect both.

mod code_flow;
mod cpu;
mod durable_writes;
mod gateway;
mod growth;
mod identity;
mod load;
mod oauth;
mod operations;
mod overload;
mod permissions;
mod population;
mod program;
mod report;
mod sessions;
mod slow_reads;
mod soak;
mod statements;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use load::{Outcome, Shot, fire};
use program::Program;
use report::Report;

/// The length of one slice of a measurement, and the number of slices.
const SLICE: Duration = Duration::from_millis(800);
const SLICES: usize = 5;

/// The groups that can be measured separately.
const GROUPS: [&str; 12] = [
    "start",
    "requests",
    "growth",
    "code-flow",
    "durable",
    "sessions",
    "processor",
    "statements",
    "slow-reads",
    "overload",
    "soak",
    "permissions",
];

/// Enough to keep two cores busy.
const CONNECTIONS: usize = 32;

const MEGABYTE: f64 = 1024.0 * 1024.0;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    // `cargo test --benches` runs this without the path; there is nothing to test then.
    let Some(binary) = arguments.next().map(PathBuf::from) else {
        eprintln!("run `cargo xtask bench`");
        return ExitCode::SUCCESS;
    };
    let group = arguments.next();
    if let Some(group) = group.as_deref().filter(|it| !GROUPS.contains(it)) {
        eprintln!("error: there is no group {group}; the groups are {}", GROUPS.join(", "));
        return ExitCode::FAILURE;
    }
    match run(&binary, group.as_deref()) {
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
async fn run(binary: &Path, group: Option<&str>) -> Result<Report> {
    let wants = |it: &str| group.is_none_or(|group| group == it);
    let mut report = Report::default();
    if wants("start") {
        starts(binary, &mut report).await?;
    }
    if wants("requests") || wants("growth") {
        let upstream = acceptance::upstream::Upstream::start().await?;
        let program = Program::start(binary, config(&upstream.url())).await?;
        if wants("requests") {
            requests(&program, &mut report).await?;
        }
        if wants("growth") {
            let grown = growth::measure(&program, &mut report).await;
            report.note("growth from 10^3 to 10^6 people", &grown);
        }
    }
    if wants("code-flow") {
        let program = Program::start(binary, own_login_application()).await?;
        let code_flow = code_flow::measure(&program, &mut report).await;
        report.note("code-flow login", &code_flow);
        let signed = oauth::measure_signed(&program, &mut report).await;
        report.note("client-credentials token, ES256", &signed);
    }
    if wants("durable") {
        let durable = durable_writes::measure(&mut report).await;
        report.note("durable writes", &durable);
    }
    if wants("sessions") {
        let program = Program::start(binary, json!({ "log": { "level": "error" } })).await?;
        let measured = sessions::measure(&program, &mut report).await;
        report.note("whoami of many sessions", &measured);
    }
    if wants("processor") {
        let measured = cpu::measure(binary, &mut report).await;
        report.note("processor time", &measured);
    }
    if wants("statements") {
        let measured = statements::measure(binary, &mut report).await;
        report.note("statements of an operation", &measured);
    }
    if wants("slow-reads") {
        let measured = slow_reads::measure(binary, &mut report).await;
        report.note("quick reads beside slow ones", &measured);
    }
    if wants("overload") {
        let measured = overload::measure(binary, &mut report).await;
        report.note("sign-ins beyond what can be hashed", &measured);
    }
    if wants("soak") {
        let measured = Box::pin(soak::measure(binary, &mut report)).await;
        report.note("bytes that operations leave", &measured);
    }
    if wants("permissions") {
        let measured = Box::pin(permissions::measure(binary, &mut report)).await;
        report.note("permissions", &measured);
    }
    Ok(report)
}

/// The figures of one server, idle and under load.
async fn requests(program: &Program, report: &mut Report) -> Result<()> {
    resident_memory(program, report, "resident memory, idle", 40.0)?;
    idle_traffic(program, report).await?;
    let identity = identity::measure(program, report).await;
    report.note("whoami, password sign-in", &identity);
    let tokens = oauth::measure(program, report).await;
    report.note("tokens and introspection", &tokens);
    let proxied = gateway::measure(program, identity.ok().as_deref(), report).await;
    report.note("gateway", &proxied);
    resident_memory(program, report, "resident memory, after load", 120.0)
}

fn resident_memory(program: &Program, report: &mut Report, what: &str, most: f64) -> Result<()> {
    #[expect(clippy::cast_precision_loss, reason = "megabytes for people")]
    let resident = program.resident_bytes()? as f64 / MEGABYTE;
    report.at_most(what, resident, "MB", most);
    Ok(())
}

/// The configuration of the measured server: two rules, and nothing that makes it faster than with the defaults.
fn config(upstream: &str) -> Value {
    json!({
        "log": { "level": "warn" },
        "identity": { "selfservice": { "methods": { "password": { "config": { "haveibeenpwned_enabled": false } } } } },
        "gateway": gateway::config(upstream),
    })
}

/// An installation with its own login application, whose tokens are signed with ES256.
fn own_login_application() -> Value {
    let mut config = code_flow::config();
    config["log"] = json!({ "level": "warn" });
    config["oauth"]["oauth2"] = json!({ "keys": { "algorithm": "ES256" } });
    config
}

/// The time from the start in an empty folder to ready, including secrets, keys and migrations.
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
    // As long as the longest interval of background work.
    const WHILE: Duration = Duration::from_mins(1);
    let admin = program.ports.identity_admin;
    let before = program.metric(admin, "sql_statements_total").await?;
    tokio::time::sleep(WHILE).await;
    let after = program.metric(admin, "sql_statements_total").await?;
    report.at_most("idle database traffic", (after - before) / WHILE.as_secs_f64(), "statements/s", 1.0);
    Ok(())
}

/// Fires two shots in alternating slices; returns the medians.
async fn in_turns(one: &Shot, other: &Shot, connections: usize) -> Result<(f64, f64)> {
    let (mut ones, mut others) = (Vec::new(), Vec::new());
    let mut latencies = Outcome::default();
    // The first slice fills caches and connections, and is not counted.
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
