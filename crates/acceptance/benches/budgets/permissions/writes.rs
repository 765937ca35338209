//! Durable writes of relation tuples: many clients that write one tuple each, compared with the same tuples in requests of 64,
//! each of which is one transaction; on PostgreSQL also with its own load generator.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::config;
use crate::load::{Outcome, Shot, fire_next};
use crate::program::{Program, on_postgres};
use crate::report::Report;
use crate::{SLICE, SLICES, median};

const CLIENTS: u32 = 64;

/// The rows of one write: the tuple, its event, and the position of the tenant without the lock that orders the changes.
const SCRIPT: &str = "WITH tuple AS (INSERT INTO permissions_relation_tuples (tenant_id, namespace, object, relation, \
     subject_namespace, subject_object, subject_relation, condition) VALUES (1, 'Doc', gen_random_uuid()::text, 'viewers', \
     'User', 'user-1@example.com', '', '')) \
     INSERT INTO jobs_events (tenant_id, at, name, actor, subject, request_id, attributes) VALUES (1, 0, 'BenchEvent', \
     'system', 'bench', '00000000-0000-0000-0000-000000000000', repeat('x', 142));";

pub(super) async fn measure(binary: &Path, report: &mut Report) -> Result<()> {
    let sqlite = Program::start(binary, config()).await?;
    let writer = Writer::default();
    let (mut singly, mut together, mut outcome) = (Vec::new(), Vec::new(), Outcome::default());
    for _ in 0..SLICES {
        let of_slice = writer.singly(&sqlite).await?;
        singly.push(of_slice.per_second());
        outcome.absorb(of_slice);
        together.push(writer.together(&sqlite).await?);
    }
    let limit = ("64 tuples a request", median(&mut together));
    report.rate("durable writes of tuples, 64 clients, SQLite", &outcome, median(&mut singly), limit, None);
    on_its_own_server(binary, report).await
}

async fn on_its_own_server(binary: &Path, report: &mut Report) -> Result<()> {
    let cluster = Arc::new(database::testing::durable_postgres().await);
    let program = Program::start(binary, on_postgres(config(), &cluster.url)).await?;
    let writer = Writer::default();
    let (mut singly, mut together, mut limit) = (Vec::new(), Vec::new(), Vec::new());
    let mut outcome = Outcome::default();
    for _ in 0..SLICES {
        let of_slice = writer.singly(&program).await?;
        singly.push(of_slice.per_second());
        outcome.absorb(of_slice);
        together.push(writer.together(&program).await?);
        let cluster = cluster.clone();
        limit.push(tokio::task::spawn_blocking(move || cluster.load_limit(SCRIPT, CLIENTS, SLICE)).await?);
    }
    let what = "durable writes of tuples, 64 clients, PostgreSQL";
    let singly = median(&mut singly);
    report.rate(what, &outcome, singly, ("64 tuples a request", median(&mut together)), None);
    report.rate(what, &outcome, singly, ("pgbench, one insertion a commit", median(&mut limit)), Some(0.8));
    Ok(())
}

/// Writes tuples, each of another object.
#[derive(Clone, Default)]
struct Writer(Arc<AtomicU64>);

impl Writer {
    async fn singly(&self, program: &Program) -> Result<Outcome> {
        let address = program.ports.permissions_write;
        let writer = self.clone();
        let next = move || {
            let shot = Shot::json(address, Method::PUT, "/admin/relation-tuples", &writer.tuple());
            Ok(shot.expecting(StatusCode::CREATED))
        };
        fire_next(address, CLIENTS as usize, SLICE, next).await
    }

    /// Tuples per second in requests of [`CLIENTS`] tuples.
    async fn together(&self, program: &Program) -> Result<f64> {
        let address = program.ports.permissions_write;
        let writer = self.clone();
        let next = move || {
            let insert = |_| json!({ "action": "insert", "relation_tuple": writer.tuple() });
            let changes: Value = (0..CLIENTS).map(insert).collect();
            let shot = Shot::json(address, Method::PATCH, "/admin/relation-tuples", &changes);
            Ok(shot.expecting(StatusCode::NO_CONTENT))
        };
        let requests = fire_next(address, 1, SLICE, next).await?.per_second();
        Ok(requests * f64::from(CLIENTS))
    }

    fn tuple(&self) -> Value {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let subject =
            json!({ "namespace": "User", "object": format!("user-{}@example.com", number % 1000), "relation": "" });
        json!({ "namespace": "Doc", "object": format!("written-{number}"), "relation": "viewers", "subject_set": subject })
    }
}
