//! Tells the time and draws ids: the only place where the program takes either from outside.

use chrono::Utc;
use sealpost_domain::Instant;
use uuid::Uuid;

/// Where the program's time comes from; tests drive one by hand.
pub trait Clock: Send + Sync + 'static {
    /// The present, UTC.
    fn now(&self) -> Instant;
}

/// The host's clock, read once: from then on time goes as the monotonic clock does. A host whose clock is set or jumps
/// while the program runs makes no mail expire, and no retry wait.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    started_at: Instant,
    started: std::time::Instant,
}

impl SystemClock {
    /// Takes the host's time as it is now.
    #[must_use]
    pub fn started_now() -> Self {
        Self {
            started_at: Instant::from_datetime(Utc::now()),
            started: std::time::Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        self.started_at.plus(self.started.elapsed())
    }
}

/// Draws a UUIDv7 (RFC 9562 §5.7), which sorts by the time of its drawing.
#[must_use]
pub fn draw_uuid() -> Uuid {
    Uuid::now_v7()
}

/// Draws a number to spread load with; no secret rests on it.
#[must_use]
pub fn draw_seed() -> u64 {
    Uuid::new_v4().as_u64_pair().1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_version_7_and_rise() {
        let (first, second) = (draw_uuid(), draw_uuid());
        assert_eq!(first.get_version_num(), 7);
        assert!(first < second);
    }

    #[test]
    fn the_host_s_clock_is_past_the_year_2023() {
        assert!(SystemClock::started_now().now() > Instant::from_millis(1_700_000_000_000));
    }
}
