//! Loads the graph of a tenant from the table while others write.
//!
//! The table is read in pages, each of which sees what is committed when it is read. Afterwards the events since the beginning are
//! applied up to a snapshot that no page is newer than. A tuple without an event in between was the same all the time; of every
//! other one the last event decides. So the graph is exactly the table at that snapshot.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base::{Clock, PageRequest, TenantId};
use database::Database;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::super::log::{self, LogError};
use super::resident::{ApplyError, Resident, apply};
use super::{EVENTS_AT_ONCE, Graphs, OfTenant};
use crate::domain::graph::{Graph, GraphError};
use crate::domain::relation_tuple::StoredTuple;
use crate::domain::schema::SchemaError;
use crate::domain::tuple_query::TupleQuery;
use crate::storage::{relation_tuples, state};

/// Tuples of a page.
const PAGE: u32 = 2_000;
/// Pages that are read before the ones before them are in the graph.
const PAGES_AHEAD: usize = 2;
/// Pages between two measurements of the memory.
const PAGES_PER_MEASUREMENT: u64 = 16;
const REPORT_EVERY: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    #[error("the relation tuples of the tenant need more memory than permissions.graph.max_bytes ({0} bytes) allows")]
    TooLarge(u64),
    #[error(transparent)]
    Graph(#[from] GraphError),
    #[error(transparent)]
    Model(SchemaError),
    #[error("an event of changed relation tuples cannot be applied")]
    Apply(#[source] ApplyError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl LoadError {
    /// Loading again would fail again, unless tuples are deleted.
    pub(super) const fn is_final(&self) -> bool {
        match self {
            Self::TooLarge(_) | Self::Graph(_) | Self::Model(_) => true,
            Self::Apply(_) | Self::Log(_) | Self::Database(_) => false,
        }
    }
}

/// Of a model beside the names of tuples: alone it was compiled before.
impl From<SchemaError> for LoadError {
    fn from(error: SchemaError) -> Self {
        match error {
            SchemaError::TooManyNames(names) => Self::Graph(names.into()),
            SchemaError::NestedTooDeeply { .. } => Self::Model(error),
        }
    }
}

impl From<ApplyError> for LoadError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Graph(error) => Self::Graph(error),
            ApplyError::Context(_) => Self::Apply(error),
        }
    }
}

/// What a load needs.
pub(super) struct Load {
    pub(super) database: Database,
    pub(super) clock: Clock,
    pub(super) graphs: Arc<Graphs>,
    pub(super) tenant: TenantId,
}

impl Load {
    pub(super) async fn run(self) -> Result<Resident, LoadError> {
        let started = Instant::now();
        let of_tenant = self.graphs.of(self.tenant);
        let begins = state::snapshot(&mut self.database.read(self.tenant)).await?;
        let mut graph = self.read_table(&of_tenant, started).await?;
        let asked_at = Instant::now();
        let until = state::snapshot(&mut self.database.read(self.tenant)).await?;
        let mut watermark = begins;
        while watermark < until {
            for logged in log::read(&self.database, self.tenant, watermark, until, EVENTS_AT_ONCE).await? {
                watermark = logged.sequence;
                apply(&mut graph, logged)?;
            }
            self.bounded(&of_tenant, &graph)?;
            tokio::task::yield_now().await;
        }
        self.bounded(&of_tenant, &graph)?;
        let took = started.elapsed();
        of_tenant.load_micros.store(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        tracing::info!(
            tenant = self.tenant.as_i32(),
            tuples = graph.len(),
            bytes = graph.heap_bytes(),
            seconds = took.as_secs_f64(),
            watermark = watermark.0,
            "the relation tuples are in memory"
        );
        Ok(Resident::new(graph, watermark, asked_at))
    }

    /// Reads the pages on this task while another thread fills the graph with those that were read before.
    async fn read_table(&self, of_tenant: &Arc<OfTenant>, started: Instant) -> Result<Graph, LoadError> {
        let (pages, read) = mpsc::channel(PAGES_AHEAD);
        let filling = Filling {
            of_tenant: of_tenant.clone(),
            graphs: self.graphs.clone(),
            tenant: self.tenant,
            started,
            reported: started,
        };
        let filled = tokio::task::spawn_blocking(move || filling.fill(read));
        let read = self.read_pages(pages).await;
        // Its channel is closed, so it ends after the pages that were read.
        let filled = filled.await;
        read?;
        filled.map_err(|error| database::Error::Unavailable {
            what: "filling the relation tuples into memory did not end",
            source: Some(Arc::new(error)),
        })?
    }

    async fn read_pages(&self, pages: mpsc::Sender<Vec<StoredTuple>>) -> Result<(), LoadError> {
        let mut page = PageRequest { size: PAGE, after: None };
        loop {
            let mut tx = self.database.read(self.tenant);
            let found = relation_tuples::list(&mut tx, &TupleQuery::default(), &page, self.clock.now()).await?;
            // When the graph cannot be filled, its error says why.
            if pages.send(found.items).await.is_err() {
                return Ok(());
            }
            let Some(after) = found.next else { return Ok(()) };
            page.after = Some(after);
        }
    }

    fn bounded(&self, of_tenant: &OfTenant, graph: &Graph) -> Result<(), LoadError> {
        bounded(&self.graphs, of_tenant, graph)
    }
}

/// Fills a graph, on a thread that may be busy.
struct Filling {
    of_tenant: Arc<OfTenant>,
    graphs: Arc<Graphs>,
    tenant: TenantId,
    started: Instant,
    reported: Instant,
}

impl Filling {
    fn fill(mut self, mut pages: mpsc::Receiver<Vec<StoredTuple>>) -> Result<Graph, LoadError> {
        let mut graph = Graph::default();
        let mut count = 0;
        while let Some(page) = pages.blocking_recv() {
            for stored in &page {
                graph.insert(stored)?;
            }
            count += 1;
            if count % PAGES_PER_MEASUREMENT == 0 {
                bounded(&self.graphs, &self.of_tenant, &graph)?;
            }
            if self.reported.elapsed() >= REPORT_EVERY {
                self.reported = Instant::now();
                let (tuples, seconds) = (graph.len(), self.started.elapsed().as_secs_f64());
                tracing::info!(tenant = self.tenant.as_i32(), tuples, seconds, "loading relation tuples into memory");
            }
        }
        Ok(graph)
    }
}

fn bounded(graphs: &Graphs, of_tenant: &OfTenant, graph: &Graph) -> Result<(), LoadError> {
    of_tenant.loading.measured(graph);
    if graphs.is_over_bound() { Err(LoadError::TooLarge(graphs.max_bytes)) } else { Ok(()) }
}
