//! Compares the readers with the reference on random cases: `differential --cases 1000000 [--seed 0]`.

use std::time::Instant;

use anyhow::{Context as _, bail};
use permissions::testing::differential::{Compared, compare};

fn main() -> anyhow::Result<()> {
    let (mut cases, mut seed) = (100_000, 0);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().context("an option needs a number")?.parse()?;
        match &*name {
            "--cases" => cases = value,
            "--seed" => seed = value,
            _ => bail!("{name} is neither --cases nor --seed"),
        }
    }
    let begin = Instant::now();
    let mut compared = Compared::default();
    for index in 0..cases {
        compared.add(compare(seed + index)?);
    }
    println!("{compared:?} in {:.1} s", begin.elapsed().as_secs_f64());
    Ok(())
}
