//! Tunnels: connections that both sides upgraded to a WebSocket. Bytes are copied until one side closes, or until the
//! client's access ends.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tokio::task::JoinSet;

/// Completes when the client's access ends.
pub(crate) type AccessEnds = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The client's side of a tunnel.
pub(crate) struct TunnelEnd {
    pub(crate) upgrade: OnUpgrade,
    pub(crate) access_ends: Option<AccessEnds>,
}

/// The open tunnels.
#[derive(Debug, Default)]
pub(crate) struct Tunnels(Mutex<JoinSet<()>>);

impl Tunnels {
    pub(crate) fn open(&self, client: TunnelEnd, upstream: OnUpgrade) {
        let TunnelEnd { upgrade: client, access_ends } = client;
        let mut tunnels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Remove finished tunnels, so that the set holds mostly open ones.
        while tunnels.try_join_next().is_some() {}
        tunnels.spawn(async move {
            let (client, upstream) = match tokio::try_join!(client, upstream) {
                Ok(both) => both,
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "the upgrade failed");
                    return;
                }
            };
            let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
            let access_ends = async {
                match access_ends {
                    Some(access_ends) => access_ends.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                passed = copy_bidirectional(&mut client, &mut upstream) => if let Err(error) = passed {
                    tracing::debug!(error = &error as &dyn std::error::Error, "the tunnel failed");
                },
                () = access_ends => {}
            }
        });
    }

    /// Closes all tunnels.
    pub(crate) async fn close(&self) {
        let mut tunnels = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        tunnels.shutdown().await;
    }
}
