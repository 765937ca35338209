//! Both engines for tests: an SQLite database per test, and databases in one PostgreSQL cluster, which the first test starts
//! and which ends with the test process.
//!
//! The cluster requires the programs of the PostgreSQL server; `KLEIS_POSTGRES_BIN` sets their directory if they are not found.
//! `KLEIS_TEST_POSTGRES` sets a running cluster (a DSN of a superuser) to use instead. A missing PostgreSQL fails the test: no
//! test is skipped.

#![expect(clippy::expect_used, clippy::panic, reason = "a fixture that cannot be set up fails its test")]
#![expect(
    clippy::disallowed_methods,
    reason = "a fixture is configured by the environment and waits for a real process"
)]

mod plans;
mod recorded;

use std::future::Future;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use base::{TenantId, Timestamp};

pub use self::plans::{Plan, assert_index_ranges, assert_index_ranges_besides, plans};
pub use self::recorded::recorded;
use crate::{Database, Dsn, Engine, Error, MigrationSet, Read as _, Statement};

/// Runs `test` on an empty, migrated SQLite database, then on a PostgreSQL one.
///
/// # Panics
/// When an engine cannot be started or migrated, which fails the test.
pub async fn on_both_engines<F>(sets: &[MigrationSet], test: impl Fn(Database) -> F)
where
    F: Future<Output = ()>,
{
    test(migrated(&Dsn::memory(), sets).await).await;
    test(migrated(&postgres_dsn().await, sets).await).await;
}

/// An empty, migrated SQLite database.
///
/// # Panics
/// When it cannot be opened or migrated.
pub async fn sqlite(sets: &[MigrationSet]) -> Database {
    migrated(&Dsn::memory(), sets).await
}

/// An empty, migrated PostgreSQL database.
///
/// # Panics
/// When the cluster cannot be started, or the database not be migrated.
pub async fn postgres(sets: &[MigrationSet]) -> Database {
    migrated(&postgres_dsn().await, sets).await
}

/// Runs SQLite's integrity check on the file at `path`.
///
/// # Panics
/// With the problem that SQLite found.
pub fn assert_sound(path: &Path) {
    let connection = rusqlite::Connection::open(path).expect("the file opens");
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("the check runs");
    assert_eq!(verdict, "ok", "{} is damaged", path.display());
}

/// Makes SQLite refuse to grow its file, as on a full disk, and has one write refused for it.
///
/// # Panics
/// When the write is not refused.
pub async fn fill_disk(database: &Database) {
    run(database, &NO_MORE_PAGES).await.expect("a limit");
    let refused = run(database, &WRITE_LARGE).await;
    assert!(matches!(refused, Err(Error::StorageFull { .. })), "{refused:?}");
}

/// Ends [`fill_disk`] and writes as much.
///
/// # Panics
/// When the write is refused.
pub async fn free_disk(database: &Database) {
    run(database, &MANY_PAGES).await.expect("a limit");
    run(database, &WRITE_LARGE).await.expect("there is room");
}

/// SQLite takes the present size where this is less.
static NO_MORE_PAGES: Statement = both("no_more_pages", "PRAGMA max_page_count = 1");
static MANY_PAGES: Statement = both("many_pages", "PRAGMA max_page_count = 1000000");
static WRITE_LARGE: Statement =
    both("write_large", "UPDATE kleis_migrations SET name = hex(zeroblob(100000 + length(name)))");

const fn both(name: &'static str, sql: &'static str) -> Statement {
    Statement::across_tenants(name, sql, sql)
}

async fn run(database: &Database, statement: &'static Statement) -> Result<(), Error> {
    let mut tx = database.write(TenantId::DEFAULT).await?;
    tx.query(statement, &[]).await?;
    tx.commit().await
}

/// Prepares every statement on both engines, and requires that each statement of a tenant uses `$1`.
///
/// # Panics
/// With the name of the first statement that is refused.
pub async fn prepare_all(sets: &[MigrationSet], statements: &[&[&'static Statement]]) {
    on_both_engines(sets, |database| async move {
        for statement in statements.iter().copied().flatten() {
            if let Err(error) = database.prepare(statement).await {
                let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                panic!("{} on {}: {error}: {source}", statement.name(), database.engine_name());
            }
            if statement.is_tenant_bound() {
                assert!(statement.postgres_text().contains("$1"), "{} does not use the tenant", statement.name());
                assert!(statement.sqlite_text().contains("?1"), "{} does not use the tenant", statement.name());
            }
        }
    })
    .await;
}

/// Reads the changes of other processes from PostgreSQL, as the feed does several times a second.
///
/// # Panics
/// When they cannot be read.
pub async fn read_changes(database: &Database) {
    let mut position = crate::change_feed::Position::start_of(&database.0.engine, 0);
    database.0.ask(&mut position).await.expect("the changes are read");
}

/// Requires that SQLite parses each statement once, however often it runs.
///
/// # Panics
/// With the name of the first statement that is parsed again.
pub async fn assert_parsed_once(sets: &[MigrationSet], statements: &[&[&'static Statement]]) {
    let database = sqlite(sets).await;
    let Engine::Sqlite(engine) = &database.0.engine else { panic!("not SQLite") };
    let connection = engine.another_writer().expect("a connection");
    for statement in statements.iter().copied().flatten() {
        connection.execute_batch("BEGIN").expect("begins");
        for _ in 0..3 {
            let mut prepared = connection.prepare_cached(statement.sqlite_text()).expect("a statement");
            for position in 1..=prepared.parameter_count() {
                prepared.raw_bind_parameter(position, 1).expect("binds");
            }
            // A constraint may refuse the values; the statement was planned and run nevertheless.
            let _ = prepared.raw_query().next();
            let parsed_again = prepared.get_status(rusqlite::StatementStatus::RePrepare);
            assert_eq!(parsed_again, 0, "{} is parsed at each run", statement.name());
        }
        connection.execute_batch("ROLLBACK").expect("rolls back");
    }
}

impl crate::sqlite::Sqlite {
    fn another_writer(&self) -> rusqlite::Result<rusqlite::Connection> {
        crate::sqlite::open_writer(self.path(), false)
    }
}

async fn migrated(dsn: &Dsn, sets: &[MigrationSet]) -> Database {
    let database = Database::open(dsn).await.expect("the database opens");
    if let Err(error) = database.migrate(sets, Timestamp::EPOCH).await {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        panic!("{}: {text}", database.engine_name());
    }
    database
}

/// The DSN of a new, empty PostgreSQL database.
///
/// # Panics
/// When the cluster cannot be started.
pub async fn postgres_dsn() -> Dsn {
    postgres_url().await.parse().expect("our own dsn")
}

/// Like [`postgres_dsn`], as text for a configuration file.
///
/// # Panics
/// When the cluster cannot be started.
pub async fn postgres_url() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let base = tokio::task::spawn_blocking(cluster_url).await.expect("the cluster starts");
    let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let config: tokio_postgres::Config = base.parse().expect("the cluster's address");
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.expect("the cluster answers");
    let driver = tokio::spawn(connection);
    // Template 0 has no connections, so that many tests can copy it at once.
    client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await.expect("a database is created");
    drop(client);
    let _ = driver.await;
    let mut url = url::Url::parse(&base).expect("the cluster's address");
    url.set_path(&name);
    url.query_pairs_mut().append_pair("max_conns", "8");
    url.to_string()
}

/// A separate cluster that waits for its disk as in production, for measurements.
///
/// # Panics
/// When the cluster cannot be started.
pub async fn durable_postgres() -> DurablePostgres {
    DurablePostgres::start(IN_SERVICE).await
}

/// Like [`durable_postgres`], with the extension `pg_stat_statements`, which counts every statement.
///
/// # Panics
/// When the cluster cannot be started.
pub async fn counting_postgres() -> DurablePostgres {
    DurablePostgres::start(COUNTING).await
}

/// A cluster that ends when it is dropped.
pub struct DurablePostgres {
    pub url: String,
    _watch: Child,
}

impl DurablePostgres {
    async fn start(settings: &'static str) -> Self {
        let (url, watch) = tokio::task::spawn_blocking(|| start_cluster(settings)).await.expect("the cluster starts");
        Self { url, _watch: watch }
    }

    /// The transactions per second that PostgreSQL's own load generator reaches with one statement of `script` per transaction.
    ///
    /// # Panics
    /// When the load generator cannot be run.
    pub fn load_limit(&self, script: &str, clients: u32, time: Duration) -> f64 {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(script.as_bytes()).expect("the script is written");
        let mut load = Command::new(programs().join("pgbench"));
        load.args(["--no-vacuum", "--protocol=prepared", "--jobs=2", "--file"]).arg(file.path());
        load.args(["--client", &clients.to_string(), "--time", &time.as_secs().max(1).to_string()]);
        let output = load.arg(&self.url).output().expect("pgbench runs");
        let report = String::from_utf8_lossy(&output.stdout);
        let rate = report.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        rate.unwrap_or_else(|| panic!("pgbench: {report}{}", String::from_utf8_lossy(&output.stderr)))
    }
}

fn cluster_url() -> String {
    static CLUSTER: OnceLock<String> = OnceLock::new();
    CLUSTER
        .get_or_init(|| {
            if let Ok(url) = std::env::var("KLEIS_TEST_POSTGRES") {
                return url;
            }
            let (url, watch) = start_cluster(FORGETFUL);
            *WATCH.lock().expect("no poisoned lock") = Some(watch);
            url
        })
        .clone()
}

/// The shell that ends the cluster: its standard input closes when this process ends, for whatever reason.
static WATCH: Mutex<Option<Child>> = Mutex::new(None);

/// Settings without durability: a test database need not survive a power cut.
const FORGETFUL: &str = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off";
const IN_SERVICE: &str = "";
const COUNTING: &str = "-c shared_preload_libraries=pg_stat_statements";

const WATCHER: &str = r#"
"$1/postgres" -D "$2" -k "$2" -h "" -c shared_buffers=64MB -c max_connections=300 $3 >"$2/log" 2>&1 &
cluster=$!
cat >/dev/null
kill -INT "$cluster"
wait "$cluster"
rm -rf "$2"
"#;

fn start_cluster(settings: &str) -> (String, Child) {
    let programs = programs();
    let directory = tempfile::Builder::new().prefix("kleis-postgres-").tempdir().expect("a temporary directory").keep();
    let as_postgres = owner(&directory);
    let data = directory.to_str().expect("a readable path");
    let mut initdb = command(as_postgres, programs.join("initdb"));
    initdb.args(["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]);
    let output = initdb.output().expect("initdb runs");
    assert!(output.status.success(), "initdb failed: {}", String::from_utf8_lossy(&output.stderr));
    let mut watcher = command(as_postgres, "sh".into());
    watcher.args(["-c", WATCHER, "kleis-postgres"]).arg(&programs).arg(data).arg(settings);
    let child = watcher.stdin(Stdio::piped()).spawn().expect("PostgreSQL starts");
    wait_until_ready(&directory);
    (format!("postgres://postgres@{}/postgres", data.replace('/', "%2F")), child)
}

/// PostgreSQL refuses to run as root: a root process runs it as the account of the distribution's package.
fn owner(directory: &Path) -> bool {
    let user = Command::new("id").arg("-u").output().expect("id runs");
    let is_root = user.stdout.starts_with(b"0\n");
    if is_root {
        let changed = Command::new("chown").arg("postgres:").arg(directory).status().expect("chown runs");
        assert!(changed.success(), "there is no account named postgres to run the cluster as");
    }
    is_root
}

fn command(as_postgres: bool, program: PathBuf) -> Command {
    let mut command = if as_postgres {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/").env("LC_ALL", "C.UTF-8");
    command
}

fn programs() -> PathBuf {
    if let Ok(folder) = std::env::var("KLEIS_POSTGRES_BIN") {
        return folder.into();
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|it| it.path().join("bin")).collect();
    folders.sort();
    folders
        .into_iter()
        .rfind(|it| it.join("initdb").exists())
        .expect("the PostgreSQL server is installed (package postgresql), or KLEIS_POSTGRES_BIN names its programs")
}

fn wait_until_ready(directory: &Path) {
    let started = Instant::now();
    let state = directory.join("postmaster.pid");
    while !std::fs::read_to_string(&state).is_ok_and(|text| text.lines().any(|line| line.trim() == "ready")) {
        let log = directory.join("log");
        assert!(
            started.elapsed() < Duration::from_mins(1),
            "PostgreSQL does not start: {}",
            std::fs::read_to_string(log).unwrap_or_default()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
