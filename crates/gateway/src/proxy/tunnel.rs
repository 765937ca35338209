//! Tunnels: connections that both sides agreed to turn into something else, a WebSocket most often. Bytes pass until one
//! side closes.

use std::sync::{Mutex, PoisonError};

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tokio::task::JoinSet;

/// The tunnels that are open.
#[derive(Debug, Default)]
pub(crate) struct Tunnels(Mutex<JoinSet<()>>);

impl Tunnels {
    pub(super) fn open(&self, client: OnUpgrade, upstream: OnUpgrade) {
        let mut tunnels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that have ended are taken out here, so that the set holds little else than what is open.
        while tunnels.try_join_next().is_some() {}
        tunnels.spawn(async move {
            let (client, upstream) = match tokio::try_join!(client, upstream) {
                Ok(both) => both,
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "an upgrade did not come about");
                    return;
                }
            };
            let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
            if let Err(error) = copy_bidirectional(&mut client, &mut upstream).await {
                tracing::debug!(error = &error as &dyn std::error::Error, "a tunnel broke");
            }
        });
    }

    /// Ends all tunnels.
    pub(crate) async fn close(&self) {
        let mut tunnels = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        tunnels.shutdown().await;
    }
}
