//! Watches over a visitor whose connection stays open behind the gateway: a WebSocket is checked once, when it is opened, and
//! may last for days. It ends when the session that opened it does.

use std::sync::Arc;
use std::time::Duration;

use base::Context;
use http::HeaderMap;
use tokio::time::{Instant, sleep};

use crate::domain::failure::Fault;
use crate::domain::target::Target;
use crate::pipeline::Look;
use crate::service::Gateway;

/// A session that ended is noticed within this time.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);

impl Gateway {
    /// Returns when this request would no longer be let through for `subject`. An outage is no reason: the visitor was
    /// let in when there was none.
    pub(crate) async fn access_ends(
        self: Arc<Self>,
        mut cx: Context,
        target: Target,
        headers: HeaderMap,
        subject: String,
    ) {
        let (begun, started) = (cx.now, Instant::now());
        loop {
            sleep(LOOK_AGAIN_AFTER).await;
            cx.now = begun.plus(started.elapsed());
            match self.decide(&cx, &target, &headers, Look::Again).await {
                Ok(granted) if granted.session.subject == subject => {}
                Err(denied) if denied.failure.fault != Fault::Client => {}
                // Out, or somebody else now: signed out and let in as a stranger, for instance.
                Ok(_) | Err(_) => {
                    tracing::info!(request_id = %cx.request_id, subject, "a tunnel ends with its session");
                    return;
                }
            }
        }
    }
}
