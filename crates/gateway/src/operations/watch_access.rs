//! Rechecks the session of an open connection: a WebSocket is authorized when it is opened and may last for days. It is
//! closed when its session ends.

use std::sync::Arc;
use std::time::Duration;

use base::Context;
use http::HeaderMap;
use tokio::time::{Instant, sleep};

use crate::domain::failure::Fault;
use crate::domain::target::Target;
use crate::pipeline::Evaluation;
use crate::service::Gateway;

/// The interval of the checks, and thus the longest delay until the end of a session takes effect.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);

impl Gateway {
    /// Returns when this request would no longer be allowed for `subject`. An outage does not count: access was granted
    /// before it.
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
            match self.decide(&cx, &target, &headers, Evaluation::Recheck).await {
                Ok(granted) if granted.session.subject == subject => {}
                Err(denied) if denied.failure.fault != Fault::Client => {}
                // The session ended, or the subject changed, for instance to an anonymous one.
                Ok(_) | Err(_) => {
                    tracing::info!(request_id = %cx.request_id, subject, "tunnel closed: its session ended");
                    return;
                }
            }
        }
    }
}
