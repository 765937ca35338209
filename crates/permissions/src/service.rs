//! The service value, which `server` builds and handlers and tasks use. Operations are methods on it, each in its own file.

use std::sync::Arc;

use base::shares::Shares;
use base::{Clock, Rng};
use database::Database;
use tokio::sync::watch;
use url::Url;

use crate::components::feed::Feed;
use crate::components::graph::{GraphStatistics, Graphs, Rhythm};
use crate::components::log::Turns;
use crate::components::models::{Models, SourceError};
use crate::components::tokens::Tokens;
use crate::components::writes::Writes;
use crate::config::{Config, Limits};
use crate::domain::relation_tuple::RelationTuple;
use crate::domain::write_validation::WriteRules;
use crate::operations::check::CheckError;
use crate::operations::evaluate_access::Decision;
use crate::operations::{AskedRequests, Together};

/// How many clients may watch relation tuples at the same time. Each may hold some megabytes.
const MOST_WATCHERS: usize = 1_000;

/// The components of the service.
pub struct Parts {
    pub config: Config,
    pub database: Database,
    pub clock: Clock,
    pub rng: Rng,
    /// Where clients reach the read listener.
    pub read_url: Url,
    /// For a permission model at a URL.
    pub http: web::outbound::Client,
}

/// The service value.
pub struct Permissions {
    pub(crate) database: Database,
    /// For background work; a request has its own time.
    pub(crate) clock: Clock,
    pub(crate) feed: Arc<Feed>,
    pub(crate) graphs: Arc<Graphs>,
    pub(crate) watchers: Shares,
    /// Of the watchers that read what was changed before they began.
    pub(crate) turns: Turns,
    /// Evaluations over the tables.
    pub(crate) checks: Together<RelationTuple, Result<bool, CheckError>>,
    pub(crate) batches: Together<Arc<[RelationTuple]>, Vec<Result<bool, CheckError>>>,
    pub(crate) access_evaluations: Together<AskedRequests, Vec<Decision>>,
    pub(crate) models: Models,
    pub(crate) tokens: Tokens,
    pub(crate) read_url: Url,
    pub(crate) write_rules: WriteRules,
    pub(crate) writes: Arc<Writes>,
    pub(crate) limits: Limits,
    pub(crate) expands_permits: bool,
    /// Turns true at the shutdown: every stream ends.
    pub(crate) stopping: watch::Sender<bool>,
}

impl Permissions {
    /// A service whose model is not loaded yet.
    pub fn new(parts: Parts) -> Result<Arc<Self>, SourceError> {
        let Parts { config, database, clock, rng, read_url, http } = parts;
        let feed = Arc::<Feed>::default();
        Ok(Arc::new(Self {
            graphs: Arc::new(Graphs::new(feed.clone(), Rhythm::of(&database), config.graph.max_bytes())),
            feed,
            watchers: Shares::of(MOST_WATCHERS),
            turns: Turns::of(&database),
            checks: Arc::default(),
            batches: Arc::default(),
            access_evaluations: Arc::default(),
            clock,
            write_rules: config.write_rules(),
            writes: Arc::new(Writes::new(database.clone())),
            models: Models::new(&config.namespaces, config.is_strict_mode(), http)?,
            expands_permits: config.feature_flags.expand_rewrites,
            limits: config.limit,
            tokens: Tokens::new(database.clone(), rng),
            database,
            read_url,
            stopping: watch::Sender::new(false),
        }))
    }

    /// The graphs in memory, for metrics.
    pub fn graph_statistics(&self) -> Vec<GraphStatistics> {
        self.graphs.statistics()
    }
}

impl std::fmt::Debug for Permissions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Permissions")
    }
}
