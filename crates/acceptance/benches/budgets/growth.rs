//! Growth: requests for people and their sessions take no longer with a million people than with a thousand.

use std::ops::Range;
use std::time::Duration;

use anyhow::Result;
use database::{Database, Dsn};

use crate::load::{Shot, each};
use crate::population::{self, email, sqlite_id, token};
use crate::program::Program;
use crate::report::Report;

const SMALL: u32 = 1_000;
const LARGE: u32 = 1_000_000;
/// The number of different people in the requests, each once, so that no answer comes from a cache.
const ASKED: usize = 500;

/// The measurements at each size.
struct Figures {
    whoami: Duration,
    by_id: Duration,
    by_identifier: Duration,
    begin_login: Duration,
}

pub(crate) async fn measure(program: &Program, report: &mut Report) -> Result<()> {
    let database = Database::open(&Dsn::sqlite(program.folder().join("kleis-data/kleis.db"))).await?;
    let few = populate(&database, 0..SMALL).await?;
    let small = figures(program, &few).await?;
    let many = populate(&database, SMALL..LARGE).await?;
    let large = figures(program, &many).await?;
    for (what, slow, quick) in [
        ("growth: whoami, unremembered", large.whoami, small.whoami),
        ("growth: identity by id", large.by_id, small.by_id),
        ("growth: identity by identifier", large.by_identifier, small.by_identifier),
        ("growth: a login begins (durable)", large.begin_login, small.begin_login),
    ] {
        report.at_most_times(what, slow, "10^3 people", quick, 1.5);
    }
    Ok(())
}

/// Sends requests for people that are spread over all existing ones.
async fn figures(program: &Program, people: &[u32]) -> Result<Figures> {
    let (public, admin) = (program.ports.identity, program.ports.identity_admin);
    let p50 = async |shots: Result<Vec<Shot>>| anyhow::Ok(each(&shots?).await?.percentile(0.5));
    let shots = |shot: &dyn Fn(u32) -> Result<Shot>| people.iter().copied().map(shot).collect::<Result<Vec<_>>>();
    // The first round fills the page cache of the larger file.
    for _ in 0..2 {
        p50(shots(&|person| Ok(Shot::get(admin, &format!("/admin/identities/{}", sqlite_id(person)?))))).await?;
    }
    Ok(Figures {
        whoami: p50(shots(&|person| {
            Shot::get(public, "/sessions/whoami").with_header("x-session-token", &token(person))
        }))
        .await?,
        by_id: p50(shots(&|person| Ok(Shot::get(admin, &format!("/admin/identities/{}", sqlite_id(person)?))))).await?,
        by_identifier: p50(shots(&|person| {
            let path = format!("/admin/identities?credentials_identifier={}", email(person));
            Ok(Shot::get(admin, &path))
        }))
        .await?,
        begin_login: p50(shots(&|_| Ok(Shot::get(public, "/self-service/login/api")))).await?,
    })
}

/// Writes the people with these numbers and all of their data, and returns the numbers of some of them.
async fn populate(database: &Database, numbers: Range<u32>) -> Result<Vec<u32>> {
    let every = numbers.len() / ASKED;
    population::write_identities(database, numbers.clone()).await?;
    population::write_belongings(database, numbers.clone(), u32::try_from(every)?).await?;
    // Multiples of `every` were omitted above.
    let asked: Vec<u32> = numbers.filter(|number| (*number as usize).is_multiple_of(every)).take(ASKED).collect();
    population::write_sessions(database, asked.iter().copied()).await?;
    Ok(asked)
}
