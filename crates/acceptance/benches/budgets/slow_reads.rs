//! Quick reads during slow ones: whoami while two administrators search and count among a million identities.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use database::{Database, Dsn};
use serde_json::json;

use crate::load::{Outcome, Shot, fire_in_turn};
use crate::program::{Program, on_postgres};
use crate::report::Report;
use crate::{population, sessions};

const IDENTITIES: u32 = 1_000_000;
const SESSIONS: u32 = 1_000;
const ASKING_WHOAMI: usize = 16;
const SEARCHING: usize = 2;
const WHILE: Duration = Duration::from_secs(4);
/// The time limit, in case the program answers no other request during a search.
const PATIENCE: Duration = Duration::from_mins(2);
const MOST: Duration = Duration::from_millis(10);

pub(crate) async fn measure(binary: &Path, report: &mut Report) -> Result<()> {
    let program = Program::start(binary, json!({ "log": { "level": "error" } })).await?;
    let sqlite = Dsn::sqlite(program.folder().join("kleis-data/kleis.db"));
    let measured = on_engine("SQLite", &program, &sqlite, report).await;
    report.note("quick reads beside slow ones, SQLite", &measured);
    drop(program);
    let cluster = database::testing::durable_postgres().await;
    let config = on_postgres(json!({ "log": { "level": "error" } }), &cluster.url);
    let program = Program::start(binary, config).await?;
    let measured = on_engine("PostgreSQL", &program, &cluster.url.parse()?, report).await;
    report.note("quick reads beside slow ones, PostgreSQL", &measured);
    Ok(())
}

async fn on_engine(engine: &str, program: &Program, dsn: &Dsn, report: &mut Report) -> Result<()> {
    let database = Database::open(dsn).await?;
    population::write_identities(&database, 0..IDENTITIES).await?;
    population::write_sessions(&database, 0..SESSIONS).await?;
    drop(database);
    let admin = program.ports.identity_admin;
    let whoami = sessions::whoami(program, SESSIONS)?;
    let lists = |paths: &[&str]| paths.iter().map(|path| Shot::get(admin, path)).collect::<Arc<[Shot]>>();
    // One search finds no identity, one finds one, one finds a page of them.
    let searches = lists(&[
        "/admin/identities?preview_credentials_identifier_similar=zzz",
        "/admin/identities?preview_credentials_identifier_similar=person424242@",
        "/admin/identities?preview_credentials_identifier_similar=person77&page_size=20",
    ]);
    let counts = lists(&["/admin/identities?page=1&per_page=10", "/admin/sessions?active=false"]);
    fire_in_turn(&whoami, ASKING_WHOAMI, WHILE / 4).await?;
    let alone = fire_in_turn(&whoami, ASKING_WHOAMI, WHILE).await?;
    let search_alone = fire_in_turn(&searches, 1, WHILE / 4).await?;
    let (beside, search) = side_by_side(&whoami, &searches).await?;
    report.p99(&format!("whoami beside two searches of 10^6, {engine}"), &beside, &alone, MOST);
    report.p99(&format!("search of 10^6 beside whoami, {engine}"), &search, &search_alone, MOST);
    let (beside, count) = side_by_side(&whoami, &counts).await?;
    report.p99(&format!("whoami beside two counts of 10^6, {engine}"), &beside, &alone, MOST);
    report.figure(&format!("count of 10^6 beside whoami, {engine}"), &format!("p50 {:.0?}", count.percentile(0.5)));
    Ok(())
}

async fn side_by_side(quick: &Arc<[Shot]>, slow: &Arc<[Shot]>) -> Result<(Outcome, Outcome)> {
    let both =
        async { tokio::try_join!(fire_in_turn(quick, ASKING_WHOAMI, WHILE), fire_in_turn(slow, SEARCHING, WHILE)) };
    tokio::time::timeout(PATIENCE, both).await.context("the program does not answer beside slow reads")?
}
