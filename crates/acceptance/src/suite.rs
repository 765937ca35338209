//! A server under test: the real server, in this process, with a manual clock, repeatable randomness, a mailbox, and its own
//! database on either engine.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use base::{Clock, ManualClock, Rng, Timestamp, TrustStore};
use serde_json::{Value, json};
use server::config::{Config, Service};
use server::{Environment, Running};
use tempfile::TempDir;
use test_client::merge;

use crate::browser::Browser;
use crate::smtp_sink::SmtpSink;

/// 2040-02-29T12:00:00Z: a leap day after the range of 32-bit times, and later than the real clock that client libraries use to
/// check the expiry of a token.
const START: Timestamp = Timestamp::from_unix_seconds(2_214_129_600);

const SEED: u64 = 7;

/// The two database engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// A running server and its environment.
#[derive(Debug)]
pub struct Suite {
    pub engine: Engine,
    pub clock: ManualClock,
    pub mail: SmtpSink,
    running: Running,
    // Dropped last, because the server keeps its files there.
    _data: TempDir,
}

/// Runs `test` against a server on SQLite, then against one on PostgreSQL.
pub async fn on_both_engines(test: impl AsyncFn(&mut Suite) -> Result<()>) -> Result<()> {
    with_config_on_both_engines(json!({}), test).await
}

/// Like [`on_both_engines`], with `config` merged into the suite's own configuration, as in a `kleis.yml`.
pub async fn with_config_on_both_engines(config: Value, test: impl AsyncFn(&mut Suite) -> Result<()>) -> Result<()> {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let mut suite = Suite::start_with(engine, config.clone()).await?;
        test(&mut suite).await.with_context(|| format!("on {engine:?}"))?;
        suite.stop().await;
    }
    Ok(())
}

impl Suite {
    /// On SQLite, with only the configuration that keeps a test fast and its mail local.
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

    /// Two nodes on one PostgreSQL database, with the URLs of the first, as behind a load balancer.
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

    /// On SQLite, with these certificate authorities in place of the system's.
    pub async fn start_trusting(trust: TrustStore, config: Value) -> Result<Self> {
        Self::start_process(Engine::Sqlite, &[], config, SEED, trust).await
    }

    /// A process with some of the services and its own database.
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

    /// The URL of a path on a listener, for instance `url(Service::IDENTITY, "public", "/health/ready")`.
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

    /// A path on a listener of permissions: `read`, `write`, `opl` or `metrics`.
    pub fn permissions(&self, listener: &'static str, path: &str) -> String {
        self.url(Service::PERMISSIONS, listener, path)
    }

    /// A path on the gateway's proxy.
    pub fn gateway(&self, path: &str) -> String {
        self.url(Service::GATEWAY, "proxy", path)
    }

    /// A path on the gateway's API.
    pub fn gateway_api(&self, path: &str) -> String {
        self.url(Service::GATEWAY, "api", path)
    }

    /// A new browser without cookies.
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

    /// Advances this suite's clock.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// The database, for assertions about statements and rows.
    pub fn database(&self) -> &database::Database {
        &self.running.database
    }

    /// Shuts the server down in order, and returns when it has ended.
    pub async fn stop(self) {
        self.running.shutdown().await;
    }
}

/// The configuration of every test server: secrets that all nodes share, the mail server, and cheap password hashing.
fn defaults(mail: &SmtpSink) -> Value {
    json!({
        "secrets": {
            "default": ["acceptance default secret 0123456789"],
            "cookie": ["acceptance cookie secret 0123456789"],
            "cipher": ["acceptance-cipher-secret-0123456"],
        },
        "log": { "level": "error" },
        "identity": {
            // No external service is called.
            "selfservice": { "methods": { "password": { "config": { "haveibeenpwned_enabled": false } } } },
            "courier": { "smtp": { "connection_uri": mail.connection_uri() } },
            "hashers": {
                "algorithm": "argon2",
                "argon2": { "memory": "64KB", "iterations": 1, "parallelism": 1, "salt_length": 16, "key_length": 16 },
            },
        },
    })
}

/// A test that configures flows, or return URLs, configures all that it needs: the defaults of a start without configuration
/// stay off.
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
