//! Permissions: checks and listings on 10^4 to 10^7 relation tuples beside the empty handlers of the same listener, durable writes,
//! memory and the time of a load.

mod listings;
mod questions;
mod rpc;
mod world;
mod writes;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::load::{Outcome, each};
use crate::median;
use crate::program::Program;
use crate::report::Report;
use questions::{Kind, Load, shots};
use world::World;

const LARGEST: u32 = 10_000_000;
const SIZES: [u32; 4] = [10_000, 100_000, 1_000_000, LARGEST];
/// Shorter than elsewhere, because there are many figures, and more, so that both loads of a comparison meet the same disturbances.
const SLICE: Duration = Duration::from_millis(200);
const SLICES: usize = 11;
/// The time limit of a load.
const PATIENCE: Duration = Duration::from_mins(3);

pub(crate) async fn measure(binary: &Path, report: &mut Report) -> Result<()> {
    let writes = writes::measure(binary, report).await;
    report.note("durable writes of tuples", &writes);
    let [smallest, ..] = SIZES.map(World::of);
    let small = start(binary, smallest, report).await?;
    for world in SIZES.map(World::of) {
        let larger = if world.tuples == smallest.tuples { None } else { Some(start(binary, world, report).await?) };
        let program = larger.as_ref().unwrap_or(&small);
        for kind in Kind::ALL {
            checks(program, world, kind, report).await?;
        }
        listings::measure(program, world, report).await?;
        if let Some(larger) = &larger {
            growth((&small, smallest), (larger, world), report).await?;
        }
    }
    Ok(())
}

/// "10^4 tuples".
fn name(tuples: u32) -> String {
    format!("10^{} tuples", tuples.ilog10())
}

fn config() -> Value {
    let model = STANDARD.encode(world::MODEL);
    json!({
        "log": { "level": "warn" },
        // The program does not start on a database of others without the secrets that it was written with.
        "secrets": { "default": ["a-default-secret-of-32-bytes-for-a-bench"] },
        "permissions": {
            "namespaces": { "location": format!("base64://{model}") },
            // More than the depth of the deepest check.
            "limit": { "max_read_depth": 12 },
        },
    })
}

/// Starts the program on a table with these tuples, and waits until they are in memory.
async fn start(binary: &Path, world: World, report: &mut Report) -> Result<Program> {
    let size = name(world.tuples);
    let folder = tempfile::tempdir()?;
    let written = world.write(folder.path()).await?;
    eprintln!("    {size} written in {written:.1?}");
    let program = Program::start_in(folder, binary, |_| config()).await?;
    let metrics = program.ports.permissions_metrics;
    let began = Instant::now();
    while program.metric(metrics, "permissions_graphs_ready").await? < 1.0 {
        ensure!(began.elapsed() < PATIENCE, "{size} are not in memory");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let tuples = program.metric(metrics, "permissions_graph_tuples").await?;
    let bytes = program.metric(metrics, "permissions_graph_bytes").await?;
    let seconds = program.metric(metrics, "permissions_graph_load_seconds").await?;
    #[expect(clippy::cast_precision_loss, reason = "bytes of a process")]
    let resident = program.resident_bytes()? as f64 / tuples;
    let memory = format!("memory of a tuple, {size}");
    if world.tuples >= 1_000_000 {
        report.at_most(&memory, bytes / tuples, "bytes", 64.0);
    } else {
        report.figure(&memory, &format!("{:.1} bytes", bytes / tuples));
    }
    let figure = format!("{seconds:.2} s, {:.0} tuples/s ({tuples:.0} tuples)", tuples / seconds);
    report.figure(&format!("load at start, {size}"), &figure);
    report.figure(&format!("resident memory of the process for each tuple, {size}"), &format!("{resident:.0} bytes"));
    Ok(program)
}

/// One kind of check over both protocols, each in alternating slices with the empty handler.
async fn checks(program: &Program, world: World, kind: Kind, report: &mut Report) -> Result<()> {
    for (protocol, load, empty) in Load::both(kind, world, program.ports.permissions_read) {
        let (mut check, mut limit) = (Series::default(), Series::default());
        load.fire(SLICE / 2).await?;
        empty.fire(SLICE / 2).await?;
        for _ in 0..SLICES {
            check.measure(program, &load).await?;
            limit.measure(program, &empty).await?;
        }
        let what = format!("check over {protocol}, {}, {}", kind.name(), name(world.tuples));
        let budget = (kind == Kind::Depth3 && world.tuples == 1_000_000).then_some(0.6);
        let rate = check.rate();
        report.rate(&what, &check.outcome, rate, ("empty handler", limit.rate()), budget);
        // A fiftieth of Keto's time with its database, and a twentieth of SpiceDB's and of OpenFGA's, whichever is the least:
        // 3.2, 3.3 and 1.8 ms for a direct tuple, 21, 11.4 and 6.1 ms at depth 3, measured with 10^5 tuples.
        let bound = match kind {
            Kind::Direct => Some(3_200.0 / 50.0),
            Kind::Depth3 => Some(6_100.0 / 20.0),
            Kind::Depth10 | Kind::WideUnion | Kind::Denied => None,
        };
        report.processor(&what, check.processor(), "empty handler", limit.processor(), bound);
    }
    Ok(())
}

/// The slices of one load.
#[derive(Default)]
struct Series {
    outcome: Outcome,
    rates: Vec<f64>,
    processor: Duration,
}

impl Series {
    async fn measure(&mut self, program: &Program, load: &Load) -> Result<()> {
        let before = program.processor_time()?;
        let outcome = load.fire(SLICE).await?;
        self.processor += program.processor_time()?.saturating_sub(before);
        self.rates.push(outcome.per_second());
        self.outcome.absorb(outcome);
        Ok(())
    }

    fn rate(&mut self) -> f64 {
        median(&mut self.rates)
    }

    /// Microseconds of a request.
    fn processor(&self) -> f64 {
        self.processor.as_secs_f64() * 1e6 / self.outcome.count()
    }
}

/// A check takes no longer in a large table than in a small one: both programs in turn, one request at a time. Of the medians of
/// the turns the least counts, because a whole turn is slower when the client and the server are on different cores.
async fn growth(small: (&Program, World), large: (&Program, World), report: &mut Report) -> Result<()> {
    for kind in Kind::ALL {
        let of = |(program, world): (&Program, World)| shots(kind, world, program.ports.permissions_read);
        let (few, many) = (of(small), of(large));
        let (mut quick, mut slow) = (Duration::MAX, Duration::MAX);
        for _ in 0..SLICES {
            quick = quick.min(each(&few).await?.percentile(0.5));
            slow = slow.min(each(&many).await?.percentile(0.5));
        }
        let what = format!("growth: check, {}, {}", kind.name(), name(large.1.tuples));
        report.at_most_times(&what, slow, &name(small.1.tuples), quick, 1.5);
    }
    Ok(())
}
