//! Which refused uses of keys went on record a moment ago: a flood of them is counted, and does not fill the log.

use std::collections::HashMap;
use std::time::Duration;

use sealpost_domain::Instant;
use sealpost_domain::api_key::UseRefusal;
use sealpost_domain::ids::KeyId;
use sealpost_domain::limits::{REFUSAL_WINDOW_MINUTES, REFUSALS_PER_KEY_MAX};
use sealpost_domain::network::Network;

const WINDOW: Duration = Duration::from_secs(REFUSAL_WINDOW_MINUTES * 60);

/// When each kind of refused use was last put on record, a bounded number of them for each key.
#[derive(Debug, Default)]
pub struct RecentRefusals(HashMap<KeyId, HashMap<(Network, UseRefusal), Instant>>);

impl RecentRefusals {
    /// Whether a refusal is to be put on record: nothing like it was within the window, nor as much as is recorded of one
    /// key in that time.
    #[must_use]
    pub fn is_news(&mut self, key: KeyId, from: Network, refusal: UseRefusal, now: Instant) -> bool {
        let Some(recent) = self.0.get_mut(&key) else {
            return true;
        };
        if recent
            .get(&(from, refusal))
            .is_some_and(|last| now.since(*last) < WINDOW)
        {
            return false;
        }
        let most = usize::try_from(REFUSALS_PER_KEY_MAX).unwrap_or(usize::MAX);
        if recent.len() >= most {
            recent.retain(|_, last| now.since(*last) < WINDOW);
        }
        recent.len() < most
    }

    /// A refusal goes on record.
    pub fn insert(&mut self, key: KeyId, from: Network, refusal: UseRefusal, now: Instant) {
        self.0.entry(key).or_default().insert((from, refusal), now);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv6Addr};

    use uuid::Uuid;

    use super::*;

    fn key(number: u128) -> KeyId {
        KeyId::from_uuid(Uuid::from_u128(number))
    }

    fn network(number: u128) -> Network {
        Network::around(IpAddr::V6(Ipv6Addr::from_bits(0x2001_0db8 << 96 | number << 64)))
    }

    /// Uses a key from so many networks, and says how many of the refusals go on record.
    fn flood(refusals: &mut RecentRefusals, key: KeyId, networks: u128, now: Instant) -> u64 {
        let mut recorded = 0;
        for number in 0..networks {
            if refusals.is_news(key, network(number), UseRefusal::Revoked, now) {
                refusals.insert(key, network(number), UseRefusal::Revoked, now);
                recorded += 1;
            }
        }
        recorded
    }

    #[test]
    fn the_same_kind_is_news_again_after_the_window() {
        let mut refusals = RecentRefusals::default();
        let now = Instant::from_millis(0);
        assert_eq!(flood(&mut refusals, key(1), 1, now), 1);
        assert_eq!(flood(&mut refusals, key(1), 1, now), 0);
        assert!(refusals.is_news(key(1), network(0), UseRefusal::NotManagement, now));
        assert_eq!(flood(&mut refusals, key(1), 1, now.plus(WINDOW)), 1);
    }

    #[test]
    fn a_key_that_is_tried_from_everywhere_fills_no_log_and_hides_no_other_key() {
        let mut refusals = RecentRefusals::default();
        let now = Instant::from_millis(0);
        assert_eq!(flood(&mut refusals, key(1), 65_536, now), REFUSALS_PER_KEY_MAX);
        assert_eq!(flood(&mut refusals, key(2), 3, now), 3);
        let later = now.plus(WINDOW);
        assert_eq!(flood(&mut refusals, key(1), 65_536, later), REFUSALS_PER_KEY_MAX);
    }
}
