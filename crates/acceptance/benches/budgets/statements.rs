//! The cost of an operation for the database, by the database's own count: PostgreSQL counts each statement
//! (`pg_stat_statements`) and each transaction that writes (transaction ids). Background statements of the program are measured
//! first and subtracted.

use std::path::Path;
use std::time::{Duration, Instant};

use acceptance::smtp_sink::SmtpSink;
use anyhow::{Context as _, Result};
use base::TenantId;
use database::{Database, Read as _, Statement};

use crate::load::{Shot, each};
use crate::operations::{self, Client};
use crate::program::{Program, on_postgres};
use crate::report::Report;
use crate::{code_flow, population, sessions};

/// The statements of the program, except those that begin and end transactions and those by which it asks what other nodes have
/// changed, because their number depends on when somebody asked last; and the id of the next transaction.
static COUNTS: Statement = Statement::across_tenants(
    "bench::COUNTS",
    "",
    "SELECT (SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements \
             WHERE query !~* '^(begin|commit|rollback|set|create)' AND query NOT LIKE '%pg_stat_statements%' \
             AND query NOT LIKE '%LEFT JOIN kleis_changes%' AND query NOT LIKE 'SELECT tenant_id, sequence FROM permissions_state%'), \
            pg_snapshot_xmax(pg_current_snapshot())::text::bigint",
);
/// All statements.
static ALL: Statement = Statement::across_tenants(
    "bench::ALL_STATEMENTS",
    "",
    "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat_statements%'",
);
static CREATE_EXTENSION: Statement =
    Statement::across_tenants("bench::CREATE_EXTENSION", "", "CREATE EXTENSION IF NOT EXISTS pg_stat_statements");

/// Repetitions of each operation, enough to show a single extra statement.
const TIMES: u32 = 20;
/// Repetitions of cheap requests.
const MANY: u32 = 500;
/// Recoveries send mail, which is limited for a network.
const RECOVERIES: u32 = 8;

/// Statements and write transactions of the longer flows, as they were reached: more need a reason.
const REGISTRATION: (f64, f64) = (10.0, 1.0);
const RECOVERY: (f64, f64) = (44.0, 6.0);
const APP: (f64, f64) = (16.0, 2.0);
const BACKUP_CODES: (f64, f64) = (18.0, 3.0);

pub(crate) async fn measure(binary: &Path, report: &mut Report) -> Result<()> {
    let cluster = database::testing::counting_postgres().await;
    let mail = SmtpSink::start().await?;
    let program = Program::start(binary, on_postgres(operations::config(&mail), &cluster.url)).await?;
    let database = Database::open(&cluster.url.parse()?).await?;
    let mut tx = database.write(TenantId::DEFAULT).await?;
    tx.execute(&CREATE_EXTENSION, &[]).await?;
    tx.commit().await?;
    population::write_identities(&database, 0..MANY).await?;
    population::write_sessions(&database, 0..MANY).await?;
    idle(&database, report).await?;
    let counter = Counter::start(database).await?;
    identity(&program, &mail, &counter, report).await?;
    oauth(&program, &counter, report).await
}

/// What the program asks while nobody asks it.
async fn idle(database: &Database, report: &mut Report) -> Result<()> {
    const UNTIL_IT_RESTS: Duration = Duration::from_secs(15);
    // The longest interval of background work.
    const MEASURED: Duration = Duration::from_mins(1);
    let calls = async || {
        let row = database.read(TenantId::DEFAULT).query_one(&ALL, &[]).await?;
        anyhow::Ok(f64::from(u32::try_from(row.get::<i64>(0)?)?))
    };
    tokio::time::sleep(UNTIL_IT_RESTS).await;
    let before = calls().await?;
    tokio::time::sleep(MEASURED).await;
    let statements = (calls().await? - before) / MEASURED.as_secs_f64();
    report.at_most("an idle program, PostgreSQL", statements, "statements a second", 1.0);
    Ok(())
}

async fn identity(program: &Program, mail: &SmtpSink, counter: &Counter, report: &mut Report) -> Result<()> {
    // The first registration prepares statements and fills caches.
    operations::register(program, 0).await?;
    operations::sign_in(program, 0).await?;
    let cost = counter.count(TIMES, async |number| operations::register(program, number + 1).await).await?;
    cost.report(report, "registration", Some(REGISTRATION));
    let cost = counter.count(TIMES, async |number| operations::sign_in(program, number + 1).await.map(drop)).await?;
    cost.report(report, "password sign-in (flow and submission)", Some((8.0, 1.0)));
    let cost = counter.count(TIMES, async |number| operations::sign_in_as_json(program, number + 1).await).await?;
    cost.report(report, "password sign-in in a browser, as JSON", Some((8.0, 3.0)));
    let cost = counter.count(TIMES, async |number| operations::sign_in_as_html(program, number + 1).await).await?;
    cost.report(report, "password sign-in in a browser, as HTML", Some((8.0, 3.0)));
    settings(program, counter, report).await?;
    let cost = counter.count(RECOVERIES, async |number| operations::recover(program, mail, number + 1).await).await?;
    cost.report(report, "recovery by code, mail included", Some(RECOVERY));

    let shots = sessions::whoami(program, MANY)?;
    for (what, bound) in [("whoami, not in the cache", 1.0), ("whoami, in the cache", 0.0)] {
        let cost = counter.count_all(MANY, each(&shots)).await?;
        cost.report(report, what, Some((bound, 0.0)));
    }
    let shots = vec![Shot::get(program.ports.identity, "/self-service/login/api"); usize::try_from(MANY)?];
    counter.count_all(MANY, each(&shots)).await?.report(report, "a sign-in begins", None);
    Ok(())
}

/// The changes that set up second factors, each in a session of its own.
async fn settings(program: &Program, counter: &Counter, report: &mut Report) -> Result<()> {
    let mut tokens = Vec::new();
    for number in 0..TIMES {
        tokens.push(operations::sign_in(program, number + 1).await?);
    }
    let set_up = async {
        for token in &tokens {
            operations::set_up_app(program, token).await?;
        }
        Ok(())
    };
    counter.count_all(TIMES, set_up).await?.report(report, "an authenticator app is set up", Some(APP));
    let create = async {
        for token in &tokens {
            operations::create_backup_codes(program, token).await?;
        }
        Ok(())
    };
    counter.count_all(TIMES, create).await?.report(report, "backup codes are created", Some(BACKUP_CODES));
    Ok(())
}

async fn oauth(program: &Program, counter: &Counter, report: &mut Report) -> Result<()> {
    let client = Client::register(program).await?;
    let machine = Client::of_its_own(program).await?;
    let first = code_flow::log_in(program, &client.registered).await?;
    let cost = counter.count(TIMES, async |_| code_flow::log_in(program, &client.registered).await.map(drop)).await?;
    cost.report(report, "code flow, own login application", Some((8.0, 3.0)));

    let mut refresh_token = first["refresh_token"].as_str().context("a refresh token")?.to_owned();
    refresh_token = client.refresh(program, &refresh_token).await?;
    let chain = async {
        for _ in 0..TIMES {
            refresh_token = client.refresh(program, &refresh_token).await?;
        }
        Ok(())
    };
    counter.count_all(TIMES, chain).await?.report(report, "refresh", None);

    let token = machine.client_credentials(program).await?;
    let cost = counter.count(MANY, async |_| machine.client_credentials(program).await.map(drop)).await?;
    cost.report(report, "client credentials", None);
    let cost = counter.count(MANY, async |_| operations::introspect(program, &token).await).await?;
    cost.report(report, "introspection", None);
    Ok(())
}

/// Reads the counts of a cluster that only the program under measurement uses.
struct Counter {
    database: Database,
    /// Statements and write transactions per second of an idle program.
    idle: (f64, f64),
}

/// The cost of one operation.
struct Cost {
    statements: f64,
    write_transactions: f64,
}

impl Counter {
    async fn start(database: Database) -> Result<Self> {
        const IDLE: Duration = Duration::from_secs(4);
        let mut counter = Self { database, idle: (0.0, 0.0) };
        let before = counter.read().await?;
        tokio::time::sleep(IDLE).await;
        let after = counter.read().await?;
        counter.idle = ((after.0 - before.0) / IDLE.as_secs_f64(), (after.1 - before.1) / IDLE.as_secs_f64());
        Ok(counter)
    }

    async fn read(&self) -> Result<(f64, f64)> {
        let row = self.database.read(TenantId::DEFAULT).query_one(&COUNTS, &[]).await?;
        let number = |column: usize| anyhow::Ok(f64::from(u32::try_from(row.get::<i64>(column)?)?));
        Ok((number(0)?, number(1)?))
    }

    /// Runs an operation `times` times.
    async fn count(&self, times: u32, operation: impl AsyncFn(u32) -> Result<()>) -> Result<Cost> {
        let all = async {
            for number in 0..times {
                operation(number).await?;
            }
            Ok(())
        };
        self.count_all(times, all).await
    }

    async fn count_all<T>(&self, times: u32, operations: impl Future<Output = Result<T>>) -> Result<Cost> {
        let (before, started) = (self.read().await?, Instant::now());
        operations.await?;
        // Work that continues after the answer, such as the end of a job, belongs to the operation.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let (after, seconds) = (self.read().await?, started.elapsed().as_secs_f64());
        let each = |after: f64, before: f64, idle: f64| (after - before - idle * seconds) / f64::from(times);
        Ok(Cost {
            statements: each(after.0, before.0, self.idle.0),
            write_transactions: each(after.1, before.1, self.idle.1),
        })
    }
}

impl Cost {
    /// With the budget of statements and write transactions, if there is one.
    fn report(&self, report: &mut Report, what: &str, at_most: Option<(f64, f64)>) {
        let Self { statements, write_transactions } = *self;
        let Some((most_statements, most_transactions)) = at_most else {
            let figure = format!("{statements:.1} statements, {write_transactions:.1} write transactions");
            report.figure(&format!("{what}, PostgreSQL"), &figure);
            return;
        };
        let what = format!("{what}, PostgreSQL");
        // Background work during the measurement is a fraction of a statement.
        report.at_most(&what, (statements - 0.3).max(0.0).ceil(), "statements", most_statements);
        report.at_most(&what, (write_transactions - 0.3).max(0.0).ceil(), "write transactions", most_transactions);
    }
}
