//! Calls with retries: `give_up_after` limits all attempts together, `max_delay` the pause between two of them. However they are
//! set, there are at most five attempts and at least 10 ms between two.

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
/// As many as the original makes. An outage must not multiply the load of a server that recovers.
const MOST_ATTEMPTS: u32 = 5;
const SHORTEST_DELAY: Duration = Duration::from_millis(10);

/// Sends a request until the response is not a 5xx, until the time is up, or until it was sent five times. Returns the last
/// response.
pub(crate) async fn send_with_retries(
    http: &Client,
    request: &Request<Bytes>,
    retry: Retry,
) -> Result<Response<Bytes>, OutboundError> {
    let deadline = Instant::now() + retry.give_up_after.get();
    let (mut last, mut attempt) = (None, 1);
    loop {
        let timeout = deadline.saturating_duration_since(Instant::now());
        let answer =
            match (http.with_limits(Limits { timeout, max_bytes: MOST_BYTES }).send(request.clone()).await, last) {
                // The time that was left was too short: what the server answered before is the reason.
                (Err(OutboundError::Timeout(_)), Some(before)) => return before,
                (answer, _) => answer,
            };
        let is_final = match &answer {
            Ok(response) => !response.status().is_server_error(),
            Err(OutboundError::Failed(_)) => false,
            Err(_) => true,
        };
        let delay = delay_after(attempt, retry);
        if is_final || attempt == MOST_ATTEMPTS || Instant::now() + delay >= deadline {
            return answer;
        }
        tokio::time::sleep(delay).await;
        if Instant::now() >= deadline {
            return answer;
        }
        last = Some(answer);
        attempt += 1;
    }
}

/// The pauses double, and would together take all of the time but for their limits.
fn delay_after(attempt: u32, retry: Retry) -> Duration {
    let share = retry.give_up_after.get() * (1 << (attempt - 1)) / (1 << (MOST_ATTEMPTS - 1));
    share.min(retry.max_delay.get()).max(SHORTEST_DELAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_between_ten_milliseconds_and_the_longest_delay() {
        let pauses = |give_up_after: u64, max_delay: u64| {
            let duration = |millis| GoDuration::new(Duration::from_millis(millis));
            let retry = Retry { give_up_after: duration(give_up_after), max_delay: duration(max_delay) };
            (1..MOST_ATTEMPTS).map(|attempt| delay_after(attempt, retry).as_millis()).collect::<Vec<_>>()
        };
        assert_eq!(pauses(1000, 100), [62, 100, 100, 100]);
        assert_eq!(pauses(1000, 0), [10, 10, 10, 10]);
        assert_eq!(pauses(1600, 60_000), [100, 200, 400, 800]);
        assert_eq!(pauses(0, 100), [10, 10, 10, 10]);
    }
}
