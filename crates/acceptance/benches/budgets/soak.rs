//! The data that operations leave behind: bytes of each table per sign-in, code-flow login and token.

use std::collections::BTreeMap;
use std::path::Path;

use acceptance::smtp_sink::SmtpSink;
use anyhow::Result;
use base::TenantId;
use database::{Database, Dsn, Read as _, Statement};

use crate::code_flow;
use crate::operations::{self, Client};
use crate::program::{Program, on_postgres};
use crate::report::Report;

const SIGN_INS: u32 = 4_000;
const LOGINS: u32 = 1_000;
const TOKENS: u32 = 10_000;
/// The number of operations that [`many`] runs at a time.
const AT_A_TIME: u32 = 8;
/// Tables that grow by less per operation are not listed.
const LEAST_BYTES: f64 = 8.0;

/// A table with its indexes, in bytes.
static SIZES: Statement = Statement::across_tenants(
    "bench::SIZES",
    "SELECT s.tbl_name, sum(d.pgsize) FROM dbstat d JOIN sqlite_schema s ON s.name = d.name GROUP BY s.tbl_name",
    "SELECT relname::text, pg_total_relation_size(relid) FROM pg_stat_user_tables",
);

pub(crate) async fn measure(binary: &Path, report: &mut Report) -> Result<()> {
    let mail = SmtpSink::start().await?;
    let program = Program::start(binary, operations::config(&mail)).await?;
    let dsn = Dsn::sqlite(program.folder().join("kleis-data/kleis.db"));
    let measured = Box::pin(on_engine("SQLite", &program, &dsn, report)).await;
    report.note("bytes that operations leave, SQLite", &measured);
    drop(program);
    let cluster = database::testing::durable_postgres().await;
    let program = Program::start(binary, on_postgres(operations::config(&mail), &cluster.url)).await?;
    let measured = Box::pin(on_engine("PostgreSQL", &program, &cluster.url.parse()?, report)).await;
    report.note("bytes that operations leave, PostgreSQL", &measured);
    Ok(())
}

async fn on_engine(engine: &str, program: &Program, dsn: &Dsn, report: &mut Report) -> Result<()> {
    let database = Database::open(dsn).await?;
    let client = &Client::register(program).await?;
    let machine = &Client::of_its_own(program).await?;
    operations::register(program, 0).await?;

    let before = sizes(&database).await?;
    many(SIGN_INS, async || operations::sign_in(program, 0).await.map(drop)).await?;
    let after = sizes(&database).await?;
    growth(report, &format!("a password sign-in, {engine}"), &before, &after, SIGN_INS);

    let before = after;
    Box::pin(many(LOGINS, async || code_flow::log_in(program, &client.registered).await.map(drop))).await?;
    let after = sizes(&database).await?;
    growth(report, &format!("a code-flow login, {engine}"), &before, &after, LOGINS);

    let before = after;
    many(TOKENS, async || machine.client_credentials(program).await.map(drop)).await?;
    let after = sizes(&database).await?;
    growth(report, &format!("a client-credentials token, {engine}"), &before, &after, TOKENS);
    Ok(())
}

/// Runs an operation a number of times, several at a time.
async fn many(times: u32, operation: impl AsyncFn() -> Result<()>) -> Result<()> {
    for _ in 0..times / AT_A_TIME {
        tokio::try_join!(
            operation(),
            operation(),
            operation(),
            operation(),
            operation(),
            operation(),
            operation(),
            operation()
        )?;
    }
    Ok(())
}

async fn sizes(database: &Database) -> Result<BTreeMap<String, i64>> {
    let rows = database.read(TenantId::DEFAULT).query(&SIZES, &[]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "bytes for people")]
fn growth(
    report: &mut Report,
    what: &str,
    before: &BTreeMap<String, i64>,
    after: &BTreeMap<String, i64>,
    operations: u32,
) {
    let grown = |table: &String| after[table] - before.get(table).copied().unwrap_or_default();
    let each = |bytes: i64| bytes as f64 / f64::from(operations);
    let tables = after.keys().map(|table| (table, each(grown(table)))).filter(|(_, bytes)| *bytes >= LEAST_BYTES);
    let tables: Vec<_> = tables.map(|(table, bytes)| format!("{table} {bytes:.0}")).collect();
    let all = each(after.keys().map(grown).sum());
    // A byte per operation is a megabyte per million operations.
    let figure = format!("{all:.0} bytes, {:.2} GB for 10^6 ({})", all / 1e3, tables.join(", "));
    report.figure(&format!("kept for {what}"), &figure);
}
