//! Reads points in time as callers write them: `2026-11-25 10:00:00` in UTC, RFC 3339, or a plain date.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use sealpost_domain::Instant;

/// Which end of a day a plain date means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayEnd {
    /// Its first moment.
    First,
    /// The first moment of the next day.
    Next,
}

/// Reads a point in time; `None` for a text in none of the forms.
#[must_use]
pub fn read_time(text: &str, day: DayEnd) -> Option<Instant> {
    let text = text.trim();
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(Instant::from_datetime(at.with_timezone(&Utc)));
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        let date = match day {
            DayEnd::First => date,
            DayEnd::Next => date.succ_opt()?,
        };
        return Some(Instant::from_datetime(date.and_time(NaiveTime::MIN).and_utc()));
    }
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|at| Instant::from_datetime(at.and_utc()))
}

/// `2026-11-25 10:00:00`, UTC: Mandrill's own form.
#[must_use]
pub fn mandrill_time(at: Instant) -> String {
    at.to_datetime().format("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_one_moment_are_read_alike() {
        let at = Some(Instant::from_millis(1_795_600_800_000));
        for text in [
            "2026-11-25 10:00:00",
            "2026-11-25T10:00:00",
            "2026-11-25T10:00:00Z",
            "2026-11-25T12:00:00+02:00",
            "2026-11-25 10:00:00.000000",
        ] {
            assert_eq!(read_time(text, DayEnd::First), at, "{text}");
        }
        assert_eq!(at.map(mandrill_time).as_deref(), Some("2026-11-25 10:00:00"));
    }

    #[test]
    fn a_date_is_a_day_and_nonsense_is_nothing() {
        let day = |end| read_time("2026-11-25", end).map(mandrill_time);
        assert_eq!(day(DayEnd::First).as_deref(), Some("2026-11-25 00:00:00"));
        assert_eq!(day(DayEnd::Next).as_deref(), Some("2026-11-26 00:00:00"));
        for text in ["", "now", "2026-13-01", "25.11.2026", "2026-11-25 25:00:00"] {
            assert_eq!(read_time(text, DayEnd::First), None, "{text}");
        }
    }
}
