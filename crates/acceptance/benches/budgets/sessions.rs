//! Requests for many sessions in turn: the benefit of the read cache, and the cost of a miss.

use std::sync::Arc;

use anyhow::Result;
use database::{Database, Dsn};

use crate::load::{Shot, each, fire_in_turn};
use crate::program::Program;
use crate::report::Report;
use crate::{CONNECTIONS, SLICE, SLICES, median, population};

/// More than a small cache can hold.
const SESSIONS: u32 = 10_000;

pub(crate) async fn measure(program: &Program, report: &mut Report) -> Result<()> {
    let database = Database::open(&Dsn::sqlite(program.folder().join("kleis-data/kleis.db"))).await?;
    population::write_identities(&database, 0..SESSIONS).await?;
    population::write_sessions(&database, 0..SESSIONS).await?;
    drop(database);
    let admin = program.ports.identity_admin;
    let shots = whoami(program, SESSIONS)?;
    let mut asked = Vec::new();
    // In the first round none is in the cache, in the second round all are, if the cache is large enough.
    for _ in 0..2 {
        let before = program.metric(admin, "sql_statements_total").await?;
        each(&shots).await?;
        asked.push((program.metric(admin, "sql_statements_total").await? - before) / f64::from(SESSIONS));
    }
    report.at_most("whoami, not in the cache", asked[0], "statements", 1.2);
    report.at_most("whoami, 10 000 sessions in turn, second round", asked[1], "statements", 0.1);

    let empty: Arc<[Shot]> = Arc::from([Shot::get(program.ports.identity, "/health/alive")]);
    let (mut rates, mut limits) = (Vec::new(), Vec::new());
    for _ in 0..SLICES {
        rates.push(fire_in_turn(&shots, CONNECTIONS, SLICE).await?.per_second());
        limits.push(fire_in_turn(&empty, CONNECTIONS, SLICE).await?.per_second());
    }
    report.ratio("whoami, 10 000 sessions in turn", median(&mut rates), "empty handler", median(&mut limits), 0.6);
    Ok(())
}

/// A request for each of the first sessions of [`population`].
pub(crate) fn whoami(program: &Program, count: u32) -> Result<Arc<[Shot]>> {
    let shot = |number: u32| {
        Shot::get(program.ports.identity, "/sessions/whoami").with_header("x-session-token", &population::token(number))
    };
    (0..count).map(shot).collect()
}
