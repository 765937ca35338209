//! Durable writes of many clients, compared with the same rows in large transactions, which is the limit of group commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::Result;
use base::{Context, RequestId, Rng, TenantId, Timestamp};
use database::{Database, Dsn};
use serde::Serialize;
use tokio::task::JoinSet;

use crate::report::Report;
use crate::{SLICE, SLICES, median};

const CLIENTS: u32 = 64;

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let database = Database::open(&Dsn::sqlite(folder.path().join("bench.db"))).await?;
    database.migrate(&[jobs::MIGRATIONS], Timestamp::EPOCH).await?;
    let (mut many, mut one) = (Vec::new(), Vec::new());
    for _ in 0..SLICES {
        many.push(by_many_clients(&database).await?);
        one.push(in_one_transaction(&database).await?);
    }
    report.ratio("durable writes, 64 clients, SQLite", median(&mut many), "64 rows a commit", median(&mut one), 0.8);
    on_postgres(report).await
}

/// Compared with PostgreSQL's own load generator, which runs the same insertion as a transaction of its own.
async fn on_postgres(report: &mut Report) -> Result<()> {
    const SCRIPT: &str = "INSERT INTO jobs_events (tenant_id, at, name, actor, subject, request_id, attributes) VALUES \
                          (1, 0, 'BenchEvent', 'system', 'bench', '00000000-0000-0000-0000-000000000000', repeat('x', 142));";
    let cluster = Arc::new(database::testing::durable_postgres().await);
    let database = Database::open(&cluster.url.parse()?).await?;
    database.migrate(&[jobs::MIGRATIONS], Timestamp::EPOCH).await?;
    let (mut ours, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..SLICES {
        ours.push(by_many_clients(&database).await?);
        let cluster = cluster.clone();
        limit.push(tokio::task::spawn_blocking(move || cluster.load_limit(SCRIPT, CLIENTS, SLICE)).await?);
    }
    let (ours, limit) = (median(&mut ours), median(&mut limit));
    report.ratio("durable writes, 64 clients, PostgreSQL", ours, "pgbench, one insertion a commit", limit, 0.8);
    Ok(())
}

/// A new context for each write, as for each request, so that rows of the same time are close in the index by time.
fn context() -> Context {
    let request = RequestId(Rng::system().uuid());
    Context::for_background(base::Clock::system().now(), TenantId::DEFAULT, request)
}

/// An event of the usual size.
#[derive(Serialize)]
struct BenchEvent {
    payload: String,
}

#[derive(Serialize)]
enum Events {
    BenchEvent(BenchEvent),
}

impl jobs::DomainEvent for Events {
    fn subject(&self) -> jobs::Subject<'_> {
        jobs::Subject::Client("bench".into())
    }
}

fn event() -> Events {
    Events::BenchEvent(BenchEvent { payload: "x".repeat(128) })
}

async fn by_many_clients(database: &Database) -> Result<f64> {
    let started = Instant::now();
    let count = Arc::new(AtomicU64::new(0));
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (database, count) = (database.clone(), count.clone());
        clients.spawn(async move {
            while started.elapsed() < SLICE {
                let mut tx = database.write(TenantId::DEFAULT).await?;
                jobs::append(&mut tx, &context(), &[event()]).await?;
                tx.commit().await?;
                count.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    while let Some(client) = clients.join_next().await {
        client??;
    }
    Ok(rate(count.load(Ordering::Relaxed), started))
}

async fn in_one_transaction(database: &Database) -> Result<f64> {
    let started = Instant::now();
    let mut count = 0;
    while started.elapsed() < SLICE {
        let mut tx = database.write(TenantId::DEFAULT).await?;
        for _ in 0..CLIENTS {
            jobs::append(&mut tx, &context(), &[event()]).await?;
            count += 1;
        }
        tx.commit().await?;
    }
    Ok(rate(count, started))
}

#[expect(clippy::cast_precision_loss, reason = "a count of some thousands")]
fn rate(count: u64, since: Instant) -> f64 {
    count as f64 / since.elapsed().as_secs_f64()
}
