//! A point in time, to the microsecond, in UTC. It is serialized as RFC 3339 and stored in the database as microseconds since
//! the Unix epoch, so that both engines have the same precision.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::text_serde::text_serde;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text is not an RFC 3339 time between the years 0 and 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time")]
pub struct ParseTimestampError;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// 9999-12-31T23:59:59.999999Z, the last time in RFC 3339. Arithmetic saturates here.
    pub const MAX: Self = Self(253_402_300_799_999_999);
    /// 0000-01-01T00:00:00Z, the first time in RFC 3339.
    pub const MIN: Self = Self(-62_167_219_200_000_000);

    /// Values outside RFC 3339's range are clamped to it.
    pub const fn from_unix_micros(micros: i64) -> Self {
        if micros > Self::MAX.0 {
            Self::MAX
        } else if micros < Self::MIN.0 {
            Self::MIN
        } else {
            Self(micros)
        }
    }

    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self::from_unix_micros(seconds.saturating_mul(1_000_000))
    }

    pub const fn unix_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, as in JWT's `NumericDate` (RFC 7519 section 2).
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self::from_unix_micros(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self::from_unix_micros(self.0.saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The time since `earlier`; zero when it is in the future.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The same time without its fraction of a second.
    #[must_use]
    pub const fn truncated_to_seconds(self) -> Self {
        Self(self.unix_seconds() * 1_000_000)
    }

    fn to_offset_date_time(self) -> Option<OffsetDateTime> {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000).ok()
    }

    /// As an HTTP date (RFC 9110 section 5.6.7), for instance `Sun, 22 Nov 2026 00:00:00 GMT`.
    pub fn http_date(self) -> String {
        const FORMAT: &[time::format_description::BorrowedFormatItem<'_>] = time::macros::format_description!(
            "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
        );
        self.to_offset_date_time().and_then(|at| at.format(FORMAT).ok()).unwrap_or_default()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_offset_date_time().map(|at| at.format(&Rfc3339)) {
            Some(Ok(text)) => f.write_str(&text),
            _ => Err(fmt::Error),
        }
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| ParseTimestampError)?;
        let micros = i64::try_from(at.unix_timestamp_nanos() / 1_000).map_err(|_| ParseTimestampError)?;
        Ok(Self::from_unix_micros(micros))
    }
}

text_serde!(Timestamp);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_micros_represent_the_same_time() {
        let at: Timestamp = "2026-11-22T10:20:30.123456Z".parse().unwrap_or(Timestamp::EPOCH);
        assert_eq!(at.to_string(), "2026-11-22T10:20:30.123456Z");
        assert_eq!(Timestamp::from_unix_micros(at.unix_micros()), at);
        assert_eq!(at.http_date(), "Sun, 22 Nov 2026 10:20:30 GMT");
        assert_eq!("2026-11-22T11:20:30.123456+01:00".parse(), Ok(at));
    }

    #[test]
    fn arithmetic_saturates_at_the_limits_of_rfc_3339() {
        assert_eq!(Timestamp::MAX.plus(Duration::from_secs(1)), Timestamp::MAX);
        assert_eq!(Timestamp::EPOCH.plus(Duration::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999999Z");
        assert_eq!(Timestamp::EPOCH.since(Timestamp::MAX), Duration::ZERO);
    }
}
