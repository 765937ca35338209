//! A server under test: the real one, in this process, with a clock that stands still, repeatable randomness, a mailbox,
//! and a database of its own on either engine.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use base::{Clock, ManualClock, Rng, Timestamp, TrustStore};
use serde_json::{Value, json};
use server::config::{Config, Service};
use server::{Environment, Running};
use tempfile::TempDir;

use crate::browser::Browser;
use crate::smtp_sink::SmtpSink;

/// 2040-02-29T12:00:00Z: beyond what 32 bits count, on a leap day, and later than any real clock that a client library asks
/// about a token's end.
const START: Timestamp = Timestamp::from_unix_seconds(2_214_129_600);

const SEED: u64 = 7;

/// The two databases that Kleis runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// One running server and its surroundings.
#[derive(Debug)]
pub struct Suite {
    pub engine: Engine,
    pub clock: ManualClock,
    pub mail: SmtpSink,
    running: Running,
    // The last to go: the server keeps its files there.
    _data: TempDir,
}

/// Runs `test` against a server on SQLite, then against one on PostgreSQL.
pub async fn on_both_engines(test: impl AsyncFn(&mut Suite) -> Result<()>) -> Result<()> {
    with_config_on_both_engines(json!({}), test).await
}

/// As [`on_both_engines`], with `config` laid over the suite's own: what a `kleis.yml` would say.
pub async fn with_config_on_both_engines(config: Value, test: impl AsyncFn(&mut Suite) -> Result<()>) -> Result<()> {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let mut suite = Suite::start_with(engine, config.clone()).await?;
        test(&mut suite).await.with_context(|| format!("on {engine:?}"))?;
        suite.stop().await;
    }
    Ok(())
}

impl Suite {
    /// On SQLite, with nothing configured but what keeps a test fast and its mail here.
    pub async fn start() -> Result<Self> {
        Self::start_with(Engine::Sqlite, json!({})).await
    }

    pub async fn start_with(engine: Engine, config: Value) -> Result<Self> {
        let mut tree = json!({});
        if engine == Engine::Postgres {
            tree["dsn"] = json!(database::testing::postgres_url().await);
        }
        merge(&mut tree, config);
        Self::start_node(engine, tree, SEED).await
    }

    /// Two nodes on one PostgreSQL database, under the addresses of the first, as behind one load balancer.
    pub async fn start_two_nodes(config: Value) -> Result<[Self; 2]> {
        let mut tree = json!({ "dsn": database::testing::postgres_url().await });
        merge(&mut tree, config);
        let first = Self::start_node(Engine::Postgres, tree.clone(), SEED).await?;
        let addresses = json!({
            "identity": { "serve": { "public": { "base_url": first.identity("/") } } },
            "oauth": { "urls": { "self": { "issuer": first.oauth("").trim_end_matches('/') } } },
        });
        merge(&mut tree, addresses);
        let second = Self::start_node(Engine::Postgres, tree, SEED + 1).await?;
        Ok([first, second])
    }

    /// On SQLite, trusting these certificate authorities as if the system did.
    pub async fn start_trusting(trust: TrustStore, config: Value) -> Result<Self> {
        Self::start_process(Engine::Sqlite, &[], config, SEED, trust).await
    }

    /// A process with some of the services and a database of its own.
    pub async fn start_services(services: &[Service], config: Value) -> Result<Self> {
        Self::start_process(Engine::Sqlite, services, config, SEED, TrustStore::bundled()).await
    }

    async fn start_node(engine: Engine, config: Value, seed: u64) -> Result<Self> {
        Self::start_process(engine, &[], config, seed, TrustStore::bundled()).await
    }

    async fn start_process(
        engine: Engine,
        services: &[Service],
        config: Value,
        seed: u64,
        trust: TrustStore,
    ) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let mail = SmtpSink::start().await?;
        let clock = ManualClock::starting_at(START);
        let mut tree = defaults(&mail);
        merge(&mut tree, config);
        keep_flows_as_named(&mut tree);
        let config = Config::from_value(services, tree).map_err(|faults| anyhow!("{faults}"))?;
        let environment = Environment {
            clock: clock.clock(),
            rng: Rng::seeded(seed),
            trust,
            data_dir: data.path().to_owned(),
            free_ports: true,
            migrate: true,
            ..Environment::system()
        };
        let running = server::start(config, environment).await.context("the server does not start")?;
        Ok(Self { engine, clock, mail, running, _data: data })
    }

    /// The address of a path on a listener, for instance `url(Service::IDENTITY, "public", "/health/ready")`.
    pub fn url(&self, service: Service, listener: &'static str, path: &str) -> String {
        let base = self.running.addresses.base_url(service, listener).unwrap_or_default();
        format!("{}{path}", base.trim_end_matches('/'))
    }

    /// A path on the public listener of identity.
    pub fn identity(&self, path: &str) -> String {
        self.url(Service::IDENTITY, "public", path)
    }

    /// A path on the admin listener of identity.
    pub fn identity_admin(&self, path: &str) -> String {
        self.url(Service::IDENTITY, "admin", path)
    }

    /// A path on the public listener of oauth.
    pub fn oauth(&self, path: &str) -> String {
        self.url(Service::OAUTH, "public", path)
    }

    /// A path on the admin listener of oauth.
    pub fn oauth_admin(&self, path: &str) -> String {
        self.url(Service::OAUTH, "admin", path)
    }

    /// A path on the gateway's proxy.
    pub fn gateway(&self, path: &str) -> String {
        self.url(Service::GATEWAY, "proxy", path)
    }

    /// A path on the gateway's API.
    pub fn gateway_api(&self, path: &str) -> String {
        self.url(Service::GATEWAY, "api", path)
    }

    /// A new person's browser, without cookies.
    pub fn browser(&self) -> Browser {
        Browser::new(self.clock())
    }

    /// A program that calls an API.
    pub fn api(&self) -> Browser {
        Browser::api(self.clock())
    }

    pub fn clock(&self) -> Clock {
        self.clock.clock()
    }

    /// Lets time pass for everything that asks this suite's clock.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// The database, for what no client can see: how many statements something cost, how many rows it left.
    pub fn database(&self) -> &database::Database {
        &self.running.database
    }

    /// Ends the server in order, and returns when all is done.
    pub async fn stop(self) {
        self.running.shutdown().await;
    }
}

/// What every test server is told: secrets that all nodes would share, where mail goes, and password hashing that costs
/// next to nothing.
fn defaults(mail: &SmtpSink) -> Value {
    json!({
        "secrets": {
            "default": ["acceptance default secret 0123456789"],
            "cookie": ["acceptance cookie secret 0123456789"],
            "cipher": ["acceptance-cipher-secret-0123456"],
        },
        "log": { "level": "error" },
        "identity": {
            // Nobody outside of this machine is asked.
            "selfservice": { "methods": { "password": { "config": { "haveibeenpwned_enabled": false } } } },
            "courier": { "smtp": { "connection_uri": mail.connection_uri() } },
            "hashers": {
                "algorithm": "argon2",
                "argon2": { "memory": "64KB", "iterations": 1, "parallelism": 1, "salt_length": 16, "key_length": 16 },
            },
        },
    })
}

/// A test that names flows, or where browsers go, names all that it wants: what a start without configuration adds stays off.
fn keep_flows_as_named(tree: &mut Value) {
    let selfservice = tree.pointer("/identity/selfservice");
    let names_flows =
        selfservice.is_some_and(|it| ["flows", "default_browser_return_url"].iter().any(|key| it.get(*key).is_some()));
    if names_flows {
        let mut off = json!({ "identity": { "selfservice": { "flows": {
            "recovery": { "enabled": false },
            "verification": { "enabled": false },
            "registration": { "confirm_address_first": false },
        } } } });
        merge(&mut off, std::mem::take(tree));
        *tree = off;
    }
}

/// Lays `over` on `under`: objects are merged, everything else is replaced.
fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}
