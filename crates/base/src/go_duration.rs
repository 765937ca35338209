//! Durations in the notation of Go, which the replaced programs use.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::text_serde::text_serde;

/// A duration in configuration files and in requests: `"10s"`, `"1h30m"`, `"250ms"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct GoDuration(Duration);

/// The text is not a duration such as `1h30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a duration; write for instance 30s, 10m or 1h30m")]
pub struct InvalidDuration;

impl GoDuration {
    pub const fn new(duration: Duration) -> Self {
        Self(duration)
    }

    pub const fn from_seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    pub const fn get(self) -> Duration {
        self.0
    }
}

impl From<GoDuration> for Duration {
    fn from(value: GoDuration) -> Self {
        value.0
    }
}

impl FromStr for GoDuration {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut rest = text.strip_prefix('+').unwrap_or(text);
        if rest == "0" {
            return Ok(Self(Duration::ZERO));
        }
        if rest.is_empty() {
            return Err(InvalidDuration);
        }
        let mut total = 0_f64;
        while !rest.is_empty() {
            let digits = rest.find(|it: char| !it.is_ascii_digit() && it != '.').ok_or(InvalidDuration)?;
            let (number, tail) = rest.split_at(digits);
            let unit = tail.find(|it: char| it.is_ascii_digit() || it == '.').unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(unit);
            let seconds = match unit {
                "ns" => 1e-9,
                "us" | "µs" | "μs" => 1e-6,
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return Err(InvalidDuration),
            };
            total += number.parse::<f64>().map_err(|_| InvalidDuration)? * seconds;
            rest = tail;
        }
        // Rounded to nanoseconds, so that 0.25 h and 250 ms are exact.
        Duration::try_from_secs_f64(total).map(Self).map_err(|_| InvalidDuration)
    }
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut seconds = self.0.as_secs();
        let nanos = self.0.subsec_nanos();
        if seconds == 0 {
            return match nanos {
                0 => f.write_str("0s"),
                _ if nanos.is_multiple_of(1_000_000) => write!(f, "{}ms", nanos / 1_000_000),
                _ if nanos.is_multiple_of(1_000) => write!(f, "{}us", nanos / 1_000),
                _ => write!(f, "{nanos}ns"),
            };
        }
        for (unit, size) in [("h", 3600), ("m", 60)] {
            if seconds >= size {
                write!(f, "{}{unit}", seconds / size)?;
                seconds %= size;
            }
        }
        match (seconds, nanos) {
            (0, 0) => Ok(()),
            (_, 0) => write!(f, "{seconds}s"),
            _ => write!(f, "{}s", Duration::new(seconds, nanos).as_secs_f64()),
        }
    }
}

impl fmt::Debug for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

text_serde!(GoDuration);

impl schemars::JsonSchema for GoDuration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "duration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^([0-9]+(ns|us|ms|s|m|h))+$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        let read = |text: &str| text.parse::<GoDuration>().map(|it| it.get().as_millis());
        assert_eq!(read("1h30m"), Ok(5_400_000));
        assert_eq!(read("250ms"), Ok(250));
        assert_eq!(read("1.5h"), Ok(5_400_000));
        assert_eq!(read("0"), Ok(0));
        assert_eq!(read("720h"), Ok(2_592_000_000));
        for wrong in ["", "5", "h", "1d", "-1h", "1h-3m", "1..5s", "1e9s", "nan", "99999999999999999999h"] {
            assert_eq!(read(wrong), Err(InvalidDuration), "{wrong}");
        }
    }

    #[test]
    fn a_duration_reads_back_what_it_prints() {
        for text in ["1h30m", "10m", "45s", "250ms", "1h1m1s", "0s", "1.5s"] {
            let duration: GoDuration = text.parse().unwrap();
            assert_eq!(duration.to_string(), text);
        }
    }
}
