//! Addresses that were suppressed a moment ago: a call that is under way may have read the log's index before.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sealpost_domain::Instant;
use sealpost_domain::address::AddressToken;
use sealpost_domain::suppression::SuppressionReason;

/// How long one is kept besides the log's index: longer than any call is under way.
const KEPT: Duration = Duration::from_secs(60);
/// How many may be there before the old ones are looked for.
const SWEPT_FROM: usize = 1_024;

/// What was suppressed a moment ago, each of it on disk. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct RecentSuppressions(Arc<Mutex<Recent>>);

#[derive(Debug, Default)]
struct Recent {
    by_token: HashMap<AddressToken, (Instant, SuppressionReason)>,
    /// How many were left by the last sweep: the next one comes at twice as many, so that each costs little on average.
    left: usize,
}

impl RecentSuppressions {
    /// The suppression of an address is on disk.
    pub fn insert(&self, token: AddressToken, reason: SuppressionReason, now: Instant) {
        let mut recent = self.0.lock();
        if recent.by_token.len() >= recent.left.saturating_mul(2).max(SWEPT_FROM) {
            recent.by_token.retain(|_, (at, _)| now.since(*at) < KEPT);
            recent.left = recent.by_token.len();
        }
        recent.by_token.insert(token, (now, reason));
    }

    /// Why an address was suppressed a moment ago. Older ones are in the log's index, which also knows when they end.
    #[must_use]
    pub fn reason(&self, token: &AddressToken, now: Instant) -> Option<SuppressionReason> {
        let recent = self.0.lock();
        let (at, reason) = recent.by_token.get(token)?;
        (now.since(*at) < KEPT).then_some(*reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: u128) -> AddressToken {
        AddressToken::from_mac(number.to_be_bytes())
    }

    #[test]
    fn one_counts_for_a_minute_and_no_longer() {
        let recent = RecentSuppressions::default();
        let at = Instant::from_millis(1_000);
        recent.insert(token(1), SuppressionReason::HardBounce, at);
        let just_before = at.plus(KEPT - Duration::from_millis(1));
        assert_eq!(
            recent.reason(&token(1), just_before),
            Some(SuppressionReason::HardBounce)
        );
        assert_eq!(recent.reason(&token(1), at.plus(KEPT)), None);
        assert_eq!(recent.reason(&token(2), at), None);
    }

    #[test]
    fn old_ones_take_no_room_for_ever() {
        let recent = RecentSuppressions::default();
        for number in 0..20 * SWEPT_FROM {
            let now = Instant::from_millis(i64::try_from(number).unwrap() * 1_000);
            recent.insert(
                token(u128::try_from(number).unwrap()),
                SuppressionReason::HardBounce,
                now,
            );
        }
        assert!(recent.0.lock().by_token.len() <= SWEPT_FROM);
    }
}
