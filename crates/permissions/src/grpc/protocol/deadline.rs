//! The deadline of a call: `grpc-timeout`, or `connect-timeout-ms`.

use std::future::Future;
use std::time::Duration;

use http::HeaderMap;
use tokio::time::{Instant, timeout_at};
use web::rpc::{Code, Protocol, Status};

/// When a call ends; `None` if its client waits as long as the listener does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    /// The deadline of a call that arrives now.
    pub(super) fn of(protocol: Protocol, headers: &HeaderMap) -> Result<Self, Status> {
        let timeout = timeout(protocol, headers)?;
        // A time that no clock reaches is no deadline.
        Ok(Self(timeout.and_then(|timeout| Instant::now().checked_add(timeout))))
    }

    /// What `work` returns, if it ends in time.
    pub(super) async fn limit<T>(self, work: impl Future<Output = T>) -> Result<T, Status> {
        match self.0 {
            Some(ends) => timeout_at(ends, work).await.map_err(|_| exceeded()),
            None => Ok(work.await),
        }
    }
}

fn timeout(protocol: Protocol, headers: &HeaderMap) -> Result<Option<Duration>, Status> {
    let name = match protocol {
        Protocol::Grpc | Protocol::GrpcWeb | Protocol::GrpcWebText => "grpc-timeout",
        Protocol::Connect | Protocol::ConnectStream => "connect-timeout-ms",
    };
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let timeout = if name == "grpc-timeout" { with_unit(text) } else { number(text, 10).map(Duration::from_millis) };
    let wanted =
        if name == "grpc-timeout" { "at most 8 digits and one of H, M, S, m, u, n" } else { "at most 10 digits" };
    timeout.map(Some).ok_or_else(|| Status::invalid_argument(format!("{name}: must be {wanted}")).with_field(name))
}

fn exceeded() -> Status {
    Status::new(Code::DeadlineExceeded, "The call did not end within its deadline")
}

fn with_unit(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let count = number(text.strip_suffix(unit)?, 8)?;
    match unit {
        'H' => Some(Duration::from_secs(count * 3600)),
        'M' => Some(Duration::from_secs(count * 60)),
        'S' => Some(Duration::from_secs(count)),
        'm' => Some(Duration::from_millis(count)),
        'u' => Some(Duration::from_micros(count)),
        'n' => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

fn number(text: &str, most_digits: usize) -> Option<u64> {
    let is_number = !text.is_empty() && text.len() <= most_digits && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeout_in(name: &'static str, value: &str) -> Result<Option<Duration>, Code> {
        let protocol = if name == "grpc-timeout" { Protocol::Grpc } else { Protocol::Connect };
        let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
        timeout(protocol, &headers).map_err(|status| status.code)
    }

    #[test]
    fn a_timeout_has_a_unit_and_a_bound() {
        assert_eq!(timeout_in("grpc-timeout", "100m"), Ok(Some(Duration::from_millis(100))));
        assert_eq!(timeout_in("grpc-timeout", "99999999H"), Ok(Some(Duration::from_hours(99_999_999))));
        assert_eq!(timeout_in("grpc-timeout", "0n"), Ok(Some(Duration::ZERO)));
        assert_eq!(timeout_in("connect-timeout-ms", "1500"), Ok(Some(Duration::from_millis(1500))));
        for bad in ["", "S", "1", "100000000S", "-1S", "+1S", "1 S", "1h", "1.5S", "١S", "1ü"] {
            assert_eq!(timeout_in("grpc-timeout", bad), Err(Code::InvalidArgument), "{bad}");
        }
        for bad in ["", "1m", "10000000000000000", "-1"] {
            assert_eq!(timeout_in("connect-timeout-ms", bad), Err(Code::InvalidArgument), "{bad}");
        }
    }
}
