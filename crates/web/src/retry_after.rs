//! `Retry-After` in seconds (RFC 9110 section 10.2.3).

use std::time::Duration;

/// Whole seconds, rounded up, so that a client that obeys them does not come too early. At least one.
pub fn retry_after_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_rounded_up_to_whole_seconds() {
        for (wait, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (29_900, 30)] {
            assert_eq!(retry_after_seconds(Duration::from_millis(wait)), seconds, "{wait} ms");
        }
        assert_eq!(retry_after_seconds(Duration::MAX), u64::MAX);
    }
}
