//! Compares the readers with the reference on random cases.
//!
//! `cargo bench -p permissions --features testing --bench differential -- --cases 1000000 [--seed 0]`

use std::time::Instant;

use anyhow::{Context as _, anyhow, bail};
use permissions::testing::differential::{Compared, compare};

fn main() -> anyhow::Result<()> {
    let (mut cases, mut seed) = (1000, 0);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let mut number = || arguments.next().context("an option needs a number")?.parse().context("not a number");
        match &*name {
            "--cases" => cases = number()?,
            "--seed" => seed = number()?,
            "--bench" => {}
            _ => bail!("{name} is neither --cases nor --seed"),
        }
    }
    let begin = Instant::now();
    let mut compared = Compared::default();
    for index in 0..cases {
        compared.add(compare(seed + index).map_err(|mismatch| anyhow!("{mismatch:?}"))?);
    }
    println!("{compared:?} in {:.1} s", begin.elapsed().as_secs_f64());
    Ok(())
}
