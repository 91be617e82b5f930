//! Reads how long a message may wait for somebody to take it, where its sender says so.

use std::time::Duration;

use sealpost_domain::limits::{MESSAGE_LIFETIME_S_MAX, MESSAGE_LIFETIME_S_MIN};

/// The header that says it, for doors that have no field for it: whole seconds. It does not leave.
pub const LIFETIME_HEADER: &str = "X-Sealpost-TTL";

/// Reads whole seconds within the bounds; `None` for anything else.
#[must_use]
pub fn read_lifetime(value: &str) -> Option<Duration> {
    let value = value.trim();
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: u64 = digits.then(|| value.parse().ok()).flatten()?;
    (MESSAGE_LIFETIME_S_MIN..=MESSAGE_LIFETIME_S_MAX)
        .contains(&seconds)
        .then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_seconds_within_the_bounds_are_read() {
        for (value, seconds) in [
            ("60", Some(60)),
            (" 900 ", Some(900)),
            ("604800", Some(604_800)),
            ("59", None),
            ("604801", None),
            ("-900", None),
            ("+900", None),
            ("900s", None),
            ("15m", None),
            ("", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(read_lifetime(value), seconds.map(Duration::from_secs), "{value:?}");
        }
    }
}
