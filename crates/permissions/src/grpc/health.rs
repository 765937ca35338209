//! Health of the services of a listener: `grpc.health.v1`.
//!
//! The status of each service is that of the listener: it serves while the checks of `/health/ready` pass.

use std::sync::Arc;
use std::time::Duration;

use base::shares::{Share, Shares};
use futures_util::StreamExt as _;
use futures_util::stream;
use service::Readiness;
use tokio::sync::watch;
use web::rpc::{Code, Status};

use super::messages::health::health_check_response::ServingStatus;
use super::messages::health::{HealthCheckRequest, HealthCheckResponse};
use super::protocol::{Call, Messages, Procedure, Services};
use crate::Permissions;

/// The prefix of the paths of this service. Probes have no token.
pub(crate) const PATH: &str = "/grpc.health.v1.Health/";

/// The time between two checks for a client that watches.
const INTERVAL: Duration = Duration::from_secs(5);
/// Clients that watch a listener at the same time: they need no token.
const MOST_WATCHERS: usize = 100;

/// Adds health for the services so far, and for itself.
pub(super) fn add(services: Services<Arc<Permissions>>) -> Services<Arc<Permissions>> {
    let mut names = services.names();
    names.push("grpc.health.v1.Health");
    let (names, shares): (Arc<[&str]>, _) = (names.into(), Shares::of(MOST_WATCHERS));
    let of_watch = names.clone();
    let services = services.unary(Procedure::at("/grpc.health.v1.Health/Check"), move |_, call, request| {
        check(names.clone(), call, request)
    });
    services.server_streaming(
        &Procedure::at("/grpc.health.v1.Health/Watch"),
        move |permissions, call, request: HealthCheckRequest| {
            let (names, shares) = (of_watch.clone(), shares.clone());
            async move { watch(&permissions, &Watched { names, shares }, call, &request) }
        },
    )
}

/// What the clients that watch a listener share.
struct Watched {
    names: Arc<[&'static str]>,
    shares: Shares,
}

fn watch(
    permissions: &Permissions,
    watched: &Watched,
    call: Call,
    request: &HealthCheckRequest,
) -> Result<Messages<HealthCheckResponse>, Status> {
    let refused = |full| Status::new(Code::ResourceExhausted, format!("Too many streams watch this listener: {full}"));
    let share = watched.shares.take(&call.cx).map_err(refused)?;
    let is_known = is_known(&watched.names, &request.service);
    let watcher = Watcher { is_known, call, stopping: permissions.stopping.subscribe(), share, last: None };
    Ok(watcher.changes())
}

fn is_known(names: &[&str], service: &str) -> bool {
    service.is_empty() || names.contains(&service)
}

async fn status(readiness: Option<&Readiness>) -> ServingStatus {
    let is_ready = match readiness {
        Some(readiness) => readiness.is_ready().await,
        None => false,
    };
    if is_ready { ServingStatus::Serving } else { ServingStatus::NotServing }
}

async fn check(
    names: Arc<[&'static str]>,
    call: Call,
    request: HealthCheckRequest,
) -> Result<HealthCheckResponse, Status> {
    if !is_known(&names, &request.service) {
        return Err(Status::new(Code::NotFound, "service: this listener has no such service"));
    }
    Ok(HealthCheckResponse { status: status(call.readiness.as_ref()).await.into() })
}

/// A client that watches.
struct Watcher {
    /// Whether the listener has the service.
    is_known: bool,
    call: Call,
    stopping: watch::Receiver<bool>,
    #[expect(dead_code, reason = "counts this client while it watches")]
    share: Share,
    last: Option<ServingStatus>,
}

impl Watcher {
    fn changes(self) -> Messages<HealthCheckResponse> {
        let changes = stream::unfold(self, |mut watcher| async move {
            let status = watcher.next().await?;
            Some((Ok(HealthCheckResponse { status: status.into() }), watcher))
        });
        changes.boxed()
    }

    /// The next status that differs from the last one; `None` at the end of the program.
    async fn next(&mut self) -> Option<ServingStatus> {
        loop {
            let is_stopping = *self.stopping.borrow();
            let status = match (self.is_known, is_stopping) {
                (false, _) => ServingStatus::ServiceUnknown,
                (true, true) => ServingStatus::NotServing,
                (true, false) => status(self.call.readiness.as_ref()).await,
            };
            if self.last.replace(status) != Some(status) {
                return Some(status);
            }
            if is_stopping {
                return None;
            }
            tokio::select! {
                () = tokio::time::sleep(INTERVAL) => {}
                stopped = self.stopping.changed() => stopped.ok()?,
            }
        }
    }
}
