//! Compares the readers with the reference on random cases: those in memory, then a service on the tables of each engine, which
//! takes a hundred times as long for a case and gets a hundredth of them.
//!
//! `cargo bench -p permissions --features testing --bench differential -- --cases 1000000 [--seed 0] [--subjects 1]`
//!
//! A case has about ten subjects, each of whom is asked for at every userset. Fewer of them in each case leave time for more cases.

use std::time::Instant;

use anyhow::{Context as _, anyhow, bail};
use database::Database;
use permissions::testing::differential::{Compared, compare};
use permissions::testing::mismatch::Mismatch;
use permissions::testing::service_differential::Services;

const SETS: &[database::MigrationSet] = &[jobs::MIGRATIONS, permissions::MIGRATIONS];

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let (mut cases, mut seed, mut subjects) = (1000, 0, usize::MAX);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let mut number = || arguments.next().context("an option needs a number")?.parse().context("not a number");
        match &*name {
            "--cases" => cases = number()?,
            "--seed" => seed = number()?,
            "--subjects" => subjects = usize::try_from(number()?)?,
            "--bench" => {}
            _ => bail!("{name} is neither --cases, --seed nor --subjects"),
        }
    }
    let begin = Instant::now();
    let mut compared = Compared::default();
    for index in 0..cases {
        compared.add(compare(seed + index, subjects).map_err(|mismatch| anyhow!("{mismatch:?}"))?);
    }
    println!("in memory: {compared:?} in {:.1} s", begin.elapsed().as_secs_f64());
    let seeds = seed..seed + cases.div_ceil(100);
    on_tables(&database::testing::sqlite(SETS).await, seeds.clone()).await?;
    on_tables(&database::testing::postgres(SETS).await, seeds).await
}

async fn on_tables(database: &Database, seeds: std::ops::Range<u64>) -> anyhow::Result<()> {
    let begin = Instant::now();
    let failed = |mismatch: Mismatch| anyhow!("{mismatch:?}");
    let (mut services, mut compared) = (Services::on_tables(database).map_err(failed)?, Compared::default());
    for seed in seeds {
        compared.add(services.compare(seed).await.map_err(failed)?);
    }
    println!("on {}: {compared:?} in {:.1} s", database.engine_name(), begin.elapsed().as_secs_f64());
    Ok(())
}
