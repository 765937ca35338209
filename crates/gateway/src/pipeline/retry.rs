//! Calls with retries: `give_up_after` limits all attempts together, `max_delay` the pause between two of them.

use std::time::Duration;

use base::GoDuration;
use bytes::Bytes;
use http::{Request, Response};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::Instant;
use web::outbound::{Client, Limits, OutboundError};

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Retry {
    /// After how long a failed request is not tried again.
    pub(crate) give_up_after: GoDuration,
    /// The longest pause between two attempts.
    pub(crate) max_delay: GoDuration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { give_up_after: GoDuration::from_seconds(1), max_delay: GoDuration::new(Duration::from_millis(100)) }
    }
}

/// The size limit of a check endpoint's response.
const MOST_BYTES: usize = 1 << 20;
const FIRST_DELAY: Duration = Duration::from_millis(10);

/// Sends a request until the response is not a 5xx, or until the time is up. Returns the last response.
pub(crate) async fn send_with_retries(
    http: &Client,
    request: &Request<Bytes>,
    retry: Retry,
) -> Result<Response<Bytes>, OutboundError> {
    let deadline = Instant::now() + retry.give_up_after.get();
    let mut delay = FIRST_DELAY.min(retry.max_delay.get());
    loop {
        let timeout = deadline.saturating_duration_since(Instant::now());
        let answer = http.with_limits(Limits { timeout, max_bytes: MOST_BYTES }).send(request.clone()).await;
        let is_final = match &answer {
            Ok(response) => !response.status().is_server_error(),
            Err(OutboundError::Failed(_)) => false,
            Err(_) => true,
        };
        if is_final || Instant::now() + delay >= deadline {
            return answer;
        }
        tokio::time::sleep(delay).await;
        delay = (delay * 2).min(retry.max_delay.get());
    }
}
