//! A service on a database of its own, and clients of its listeners.

use std::sync::Arc;
use std::time::Duration;

use base::{Clock, Context, ManualClock, RequestId, TenantId, Timestamp, uuid::Uuid};
use database::Database;
use database::testing::on_both_engines;
use serde_json::{Value, json};
use test_client::{Client, Kind};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::Permissions;
use crate::domain::snapshot::Snapshot;
use crate::testing::service::service;

pub(super) struct Harness {
    pub(super) permissions: Arc<Permissions>,
    pub(super) database: Database,
    pub(super) clock: ManualClock,
    pub(super) read: Client,
    pub(super) write: Client,
    pub(super) opl: Client,
}

/// Runs `test` on both engines, with the namespaces `Doc` and `Group`.
pub(super) async fn on_both<F: Future<Output = ()>>(section: Value, test: impl Fn(Harness) -> F) {
    on_both_engines(&[jobs::MIGRATIONS, crate::MIGRATIONS], |database| {
        let (section, test) = (section.clone(), &test);
        async move { test(Harness::new(database, section).await).await }
    })
    .await;
}

/// As [`on_both`], once answered by the tables and once from memory.
pub(super) async fn on_both_readers<F: Future<Output = ()>>(section: Value, test: impl Fn(Harness) -> F) {
    on_both(section.clone(), &test).await;
    on_both(section, |harness| async {
        let permissions = harness.permissions.clone();
        let _following = harness.follow();
        harness.is_ready().await;
        test(harness).await;
        let model = permissions.models.current().unwrap();
        let read = permissions.graphs.of_question(TenantId::DEFAULT).read(&model, Snapshot(0), |_| ());
        assert_eq!(read, Some(()), "the graph answers");
    })
    .await;
}

/// A section with namespaces without declarations.
pub(super) fn plain() -> Value {
    json!({ "namespaces": [{ "name": "Doc" }, { "name": "Group" }] })
}

impl Harness {
    pub(super) async fn new(database: Database, section: Value) -> Self {
        Self::at(database, section, "https://read.example/").await
    }

    /// A service whose read listener is reached at `read_url`.
    pub(super) async fn at(database: Database, section: Value, read_url: &str) -> Self {
        Self::with(database, section, read_url, |_| {}).await
    }

    /// A service whose graph stays current, however long nobody asks the log.
    pub(super) async fn always_current(database: Database, section: Value) -> Self {
        let set = |permissions: &mut Permissions| {
            Arc::get_mut(&mut permissions.graphs).unwrap().rhythm.counts = Duration::from_hours(1);
        };
        Self::with(database, section, "https://read.example/", set).await
    }

    async fn with(database: Database, section: Value, read_url: &str, set: impl FnOnce(&mut Permissions)) -> Self {
        let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_000_000));
        let mut permissions = service(&database, section, read_url, &clock.clock()).unwrap();
        set(Arc::get_mut(&mut permissions).unwrap());
        permissions.load_model().await.unwrap();
        let client = |router, origin| Client::new(Kind::Native, &router, origin, &clock.clock());
        Self {
            read: client(permissions.read_router(), "http://read.example"),
            write: client(permissions.write_router(), "http://write.example"),
            opl: client(permissions.opl_router(), "http://opl.example"),
            permissions,
            database,
            clock,
        }
    }

    /// Follows the log of changes in the background.
    pub(super) fn follow(&self) -> Following {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(self.permissions.clone().follow_changes(stopped));
        Following { stop, tasks }
    }

    /// Waits until the relation tuples are in memory.
    pub(super) async fn is_ready(&self) {
        // It creates the row of the tenant.
        self.permissions.tokens.sealer(&self.cx()).await.unwrap();
        let started = tokio::time::Instant::now();
        while !self.permissions.graph_statistics().iter().any(|it| it.is_ready) {
            assert!(started.elapsed() < Duration::from_secs(30), "the relation tuples are not in memory");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock.clock()
    }

    pub(super) fn cx(&self) -> Context {
        Context::for_background(self.clock().now(), TenantId::DEFAULT, RequestId(Uuid::nil()))
    }
}

/// A background task. Dropping it ends it at once, as the end of the process does.
pub(super) struct Following {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Following {
    /// Ends it as a shutdown does.
    pub(super) async fn stop(mut self) {
        self.stop.send_replace(true);
        self.tasks.join_next().await.unwrap().unwrap();
    }
}
