//! The service over its routers, on both engines.

mod admin;
pub(crate) mod combinations;
mod journey;
mod self_service;

use std::sync::Arc;

use base::{Context, ManualClock, PageRequest, RequestId, Rng, Sealer, Secret, TenantId, Timestamp};
use contracts::{Connections, Link, LoginRequests, SubjectObserver};
use database::Database;
use serde_json::Value;
use test_client::{Client, Kind};
use web::outbound::Destinations;

use crate::{Identity, Parts};

/// An identity service without a network, with a fixed clock, and the links to what it calls.
#[derive(Clone)]
struct TestServer {
    identity: Arc<Identity>,
    clock: ManualClock,
    login_requests: Link<dyn LoginRequests>,
    subject_observer: Link<dyn SubjectObserver>,
    connections: Link<dyn Connections>,
}

impl TestServer {
    fn start(database: Database, config: Value) -> Self {
        let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_800_000_000));
        let rng = Rng::seeded(7);
        let (login_requests, subject_observer, connections) = (Link::unset(), Link::unset(), Link::unset());
        let identity = Identity::new(Parts {
            config: serde_json::from_value(config).unwrap(),
            database,
            clock: clock.clock(),
            sealer: Sealer::new(&[Secret::new("a secret of the tests".to_owned())], rng.clone()).unwrap(),
            rng,
            http: web::outbound::Client::new(Destinations::Any, &base::TrustStore::bundled()),
            ui: ui::Ui::new(ui::Config::default()).unwrap(),
            login_requests: login_requests.clone(),
            subject_observer: subject_observer.clone(),
            connections: connections.clone(),
        })
        .unwrap();
        Self { identity, clock, login_requests, subject_observer, connections }
    }

    /// A client of the public API, at this origin and from 192.0.2.1.
    fn client(&self, kind: Kind, origin: &str) -> Client {
        Client::new(kind, &self.identity.public_router(), origin, &self.clock.clock()).from_address([192, 0, 2, 1])
    }

    /// A program that calls the admin API.
    fn operator(&self) -> Client {
        Client::new(Kind::Native, &self.identity.admin_router(), "http://admin.example", &self.clock.clock())
    }

    fn cx(&self) -> Context {
        let id = RequestId(base::uuid::Uuid::nil());
        let cx = Context::for_background(self.clock.clock().now(), TenantId::DEFAULT, id);
        Context { client_address: Some([192, 0, 2, 1].into()), ..cx }
    }

    async fn whole_events(&self) -> Vec<jobs::StoredEvent> {
        let page = PageRequest { size: 1000, after: None };
        jobs::list_events(&mut self.identity.database.read(TenantId::DEFAULT), page).await.unwrap().items
    }

    async fn events(&self) -> Vec<String> {
        self.whole_events().await.into_iter().map(|event| event.name).collect()
    }
}
