//! When a deferred message is tried again. Pure: the spread comes from the attempt's id, not from chance.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::AttemptId;
use crate::instant::Instant;

/// Delays before the next attempt. After the last one the last delay repeats until the message expires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Delays in seconds, the first after the first deferral; at least one, each 1..=86,400.
    pub delays_s: Vec<u32>,
}

impl Default for RetryPolicy {
    /// RFC 5321 §4.5.4.1 suggests 30 minutes in general; the first tries are closer together because what people wait
    /// for (a login code, a receipt) is worth little later.
    fn default() -> Self {
        Self {
            delays_s: vec![60, 300, 900, 1_800, 3_600, 7_200, 14_400, 21_600],
        }
    }
}

impl RetryPolicy {
    /// When attempt number `deferrals + 1` is due after one that ended at `ended_at`: the delay of the schedule, plus up
    /// to a tenth that is drawn from the attempt's id so that a burst spreads. The delay that repeats spreads to both
    /// sides, so that it stays what it is on average. Always after `ended_at`.
    #[must_use]
    pub fn next_attempt_at(&self, deferrals: u32, attempt: AttemptId, ended_at: Instant) -> Instant {
        let delay_ms = self.delay_ms(deferrals);
        if step(deferrals) >= self.delays_s.len() {
            return after(delay_ms - delay_ms / 10, delay_ms / 5, attempt, ended_at);
        }
        after(delay_ms, delay_ms / 10, attempt, ended_at)
    }

    /// The same for a server that wants newcomers to come again: the first delay is left out, since most of them want
    /// five minutes, and what the server asked for in seconds is waited for.
    #[must_use]
    pub fn next_attempt_asked_at(
        &self,
        deferrals: u32,
        asked_s: Option<u32>,
        attempt: AttemptId,
        ended_at: Instant,
    ) -> Instant {
        let asked_ms = asked_s.map(|asked_s| u64::from(asked_s) * 1_000);
        match asked_ms.filter(|asked_ms| *asked_ms > self.delay_ms(deferrals)) {
            Some(asked_ms) => after(asked_ms, asked_ms / 10, attempt, ended_at),
            None if asked_ms.is_some() => self.next_attempt_at(deferrals, attempt, ended_at),
            None => self.next_attempt_at(deferrals.max(2), attempt, ended_at),
        }
    }

    fn delay_ms(&self, deferrals: u32) -> u64 {
        let delay_s = self.delays_s.get(step(deferrals)).or(self.delays_s.last());
        u64::from(delay_s.copied().unwrap_or(900).max(1)) * 1_000
    }
}

/// Which delay comes next, from 0.
fn step(deferrals: u32) -> usize {
    usize::try_from(deferrals.saturating_sub(1)).unwrap_or(usize::MAX)
}

/// A point in time at least so long after, and at most so much more, as the attempt's id has it.
fn after(least_ms: u64, spread_ms: u64, attempt: AttemptId, ended_at: Instant) -> Instant {
    let drawn = u64::try_from(attempt.as_uuid().as_u128() % 100).unwrap_or(0);
    ended_at.plus(Duration::from_millis(least_ms + spread_ms * drawn / 100))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    proptest::proptest! {
        #[test]
        fn the_next_attempt_is_later_and_bounded(deferrals in 0_u32..500, id: u128, at in 0_i64..4_000_000_000_000) {
            let policy = RetryPolicy::default();
            let at = Instant::from_millis(at);
            let next = policy.next_attempt_at(deferrals, AttemptId::from_uuid(Uuid::from_u128(id)), at);
            let delay = next.since(at);
            proptest::prop_assert!(delay >= Duration::from_secs(60));
            proptest::prop_assert!(delay <= Duration::from_secs(21_600 + 2_160));
        }

        #[test]
        fn a_newcomer_comes_again_after_five_to_six_minutes_or_when_asked(asked_s in 1_u32..3_600, id: u128) {
            let policy = RetryPolicy::default();
            let (at, id) = (Instant::from_millis(0), AttemptId::from_uuid(Uuid::from_u128(id)));
            let unasked = policy.next_attempt_asked_at(1, None, id, at).since(at);
            proptest::prop_assert!((300..=360).contains(&unasked.as_secs()));
            let asked = policy.next_attempt_asked_at(1, Some(asked_s), id, at).since(at);
            proptest::prop_assert!(asked >= Duration::from_secs(asked_s.max(60).into()));
            proptest::prop_assert!(asked <= Duration::from_secs((asked_s.max(60) * 11 / 10 + 1).into()));
            // The delay that repeats spreads to both sides.
            let repeated = policy.next_attempt_at(9, id, at).since(at);
            proptest::prop_assert!((19_440..=23_760).contains(&repeated.as_secs()));
            // Later ones go by the schedule.
            let second = policy.next_attempt_asked_at(3, None, id, at);
            proptest::prop_assert_eq!(second, policy.next_attempt_at(3, id, at));
        }
    }
}
