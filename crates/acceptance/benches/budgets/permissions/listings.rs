//! All objects that a subject may view, as one page.

use std::time::{Duration, Instant};

use acceptance::browser::Browser;
use anyhow::{Context as _, Result, ensure};
use base::Clock;
use http::StatusCode;
use serde_json::Value;

use super::world::{MANY, TEN, VIEWER_OF_MANY, VIEWER_OF_TEN, World};
use super::{LARGEST, name};
use crate::load::Outcome;
use crate::program::Program;
use crate::report::Report;

/// The largest page of a listing.
const PAGE: u32 = 10_000;
const LONGEST: Duration = Duration::from_millis(20);

pub(super) async fn measure(program: &Program, world: World, report: &mut Report) -> Result<()> {
    let size = name(world.tuples);
    let few = times(program, VIEWER_OF_TEN, TEN, 500).await?;
    report.latency(&format!("list 10 objects, {size}"), &few, None);
    if world.has_many() {
        let many = times(program, VIEWER_OF_MANY, MANY, 100).await?;
        let bound = (world.tuples == LARGEST).then_some(LONGEST);
        report.latency(&format!("list 10 000 objects, {size}"), &many, bound);
    }
    Ok(())
}

/// The times of complete listings.
async fn times(program: &Program, user: &str, objects: u32, repetitions: u32) -> Result<Outcome> {
    let mut api = Browser::api(Clock::system());
    let mut latencies = Vec::new();
    let begin = Instant::now();
    for _ in 0..repetitions {
        let started = Instant::now();
        let found = list(&mut api, program, user).await?;
        latencies.push(started.elapsed());
        ensure!(found == objects as usize, "{found} objects of {user} instead of {objects}");
    }
    Ok(Outcome::of(latencies, begin.elapsed()))
}

async fn list(api: &mut Browser, program: &Program, user: &str) -> Result<usize> {
    let url = format!(
        "http://{}/relation-tuples/objects?namespace=Doc&relation=view&subject_set.namespace=User&\
         subject_set.object={user}&subject_set.relation=&page_size={PAGE}",
        program.ports.permissions_read
    );
    let page = api.get(&url).await?.expect_status(StatusCode::OK)?;
    let is_complete = page.at("/next_page_token") == "" && page.at("/truncated") == Value::Null;
    ensure!(is_complete, "an incomplete listing: {}", page.summary());
    Ok(page.at("/objects").as_array().context("objects")?.len())
}
