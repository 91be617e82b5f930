//! Points in time as the log keeps them: UTC, to the millisecond.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// First millisecond of the year 0000: RFC 3339 §5.6 writes no earlier year.
const FIRST_MS: i64 = -62_167_219_200_000;
/// Last millisecond of the year 9999: RFC 3339 §5.6 writes no later year.
const LAST_MS: i64 = 253_402_300_799_999;

/// A point in time, UTC, whole milliseconds, in the years 0000..=9999. Wire form: RFC 3339 with three decimals, so that
/// the order of texts is the order of time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// Milliseconds since 1970-01-01T00:00:00Z. A value outside the years 0000..=9999 counts as their nearest end.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(FIRST_MS, LAST_MS))
    }

    /// Drops what is finer than a millisecond.
    #[must_use]
    pub fn from_datetime(at: DateTime<Utc>) -> Self {
        Self::from_millis(at.timestamp_millis())
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_millis(&self) -> i64 {
        self.0
    }

    /// The same point in `chrono`'s form.
    #[must_use]
    pub fn to_datetime(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// This point and `span` later; at most the last millisecond of the year 9999.
    #[must_use]
    pub fn plus(&self, span: Duration) -> Self {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// How long after `earlier` this point lies; zero when it lies before.
    #[must_use]
    pub fn since(&self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_datetime().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        DateTime::<Utc>::deserialize(deserializer).map(Self::from_datetime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form_is_rfc_3339_with_milliseconds() {
        let at = Instant::from_millis(1_700_000_000_042);
        let text = serde_json::to_string(&at).unwrap();
        assert_eq!(text, "\"2023-11-14T22:13:20.042Z\"");
        assert_eq!(serde_json::from_str::<Instant>(&text).unwrap(), at);
    }

    #[test]
    fn since_never_goes_below_zero() {
        let at = Instant::from_millis(5);
        assert_eq!(at.since(Instant::from_millis(9)), Duration::ZERO);
        assert_eq!(at.plus(Duration::from_secs(1)).since(at), Duration::from_secs(1));
    }

    #[test]
    fn time_ends_with_the_years_that_can_be_written() {
        let first = Instant::from_millis(i64::MIN);
        let last = Instant::from_millis(0).plus(Duration::MAX);
        assert_eq!(first.to_string(), "0000-01-01T00:00:00.000Z");
        assert_eq!(last.to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!(Instant::from_datetime(DateTime::<Utc>::MAX_UTC), last);
    }
}
