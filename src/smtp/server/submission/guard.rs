//! Counts connections and failed logins, so that nobody takes what is everybody's.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sealpost_domain::ids::KeyId;
use sealpost_domain::limits;
use sealpost_domain::network::Network;
use tokio::time::Instant;

use super::settings::ConnectionLimits;

/// Failed logins of one network within the window, after which it is not listened to.
const FAILED_LOGINS_MAX: u64 = limits::SUBMISSION_FAILED_LOGINS_MAX;
/// How long they count.
const WINDOW: Duration = Duration::from_secs(limits::REFUSAL_WINDOW_MINUTES * 60);
/// Networks whose failed logins are remembered.
const NETWORKS_MAX: usize = 10_000;

/// What all dialogues share.
#[derive(Debug)]
pub(super) struct Guard {
    limits: ConnectionLimits,
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    all: usize,
    by_network: HashMap<Network, usize>,
    by_key: HashMap<KeyId, usize>,
    failed: HashMap<Network, Failed>,
}

#[derive(Debug, Clone, Copy)]
struct Failed {
    since: Instant,
    count: u64,
}

impl Failed {
    fn counts_at(&self, now: Instant) -> bool {
        now.duration_since(self.since) < WINDOW
    }
}

/// A connection's place; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    guard: Arc<Guard>,
    /// `None` for this machine itself: what stands here, a proxy or the operator, speaks for many.
    network: Option<Network>,
    key: Option<KeyId>,
}

impl Guard {
    pub(super) fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            counted: Mutex::default(),
        })
    }

    /// A place for a connection of this peer; `None` when all, or its network's, are taken.
    pub(super) fn place(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let peer = peer.to_canonical();
        let network = (!peer.is_loopback()).then(|| Network::around(peer));
        let mut counted = self.counted.lock();
        if counted.all >= self.limits.all {
            return None;
        }
        if let Some(network) = network {
            let of_network = counted.by_network.entry(network).or_default();
            if *of_network >= self.limits.network {
                return None;
            }
            *of_network += 1;
        }
        counted.all += 1;
        metrics::gauge!("sealpost_submission_connections").increment(1);
        Some(Place {
            guard: Arc::clone(self),
            network,
            key: None,
        })
    }
}

impl Place {
    /// Whether the network may try to log in.
    pub(super) fn may_log_in(&self, now: Instant) -> bool {
        let Some(network) = self.network else { return true };
        let counted = self.guard.counted.lock();
        let failed = counted.failed.get(&network).filter(|failed| failed.counts_at(now));
        failed.is_none_or(|failed| failed.count < FAILED_LOGINS_MAX)
    }

    /// Counts a login with what is nobody's key.
    pub(super) fn login_failed(&self, now: Instant) {
        let Some(network) = self.network else { return };
        let mut counted = self.guard.counted.lock();
        if counted.failed.len() >= NETWORKS_MAX {
            counted.failed.retain(|_, failed| failed.counts_at(now));
        }
        if counted.failed.len() >= NETWORKS_MAX {
            // Whoever comes from so many networks is not held by counting them.
            counted.failed.clear();
        }
        let new = Failed { since: now, count: 0 };
        let failed = counted.failed.entry(network).or_insert(new);
        if !failed.counts_at(now) {
            *failed = new;
        }
        failed.count = failed.count.saturating_add(1);
    }

    /// Counts the connection as one of this key; `false` when the key has too many.
    pub(super) fn log_in(&mut self, key: KeyId) -> bool {
        let mut counted = self.guard.counted.lock();
        let of_key = counted.by_key.entry(key).or_default();
        if *of_key >= self.guard.limits.key {
            return false;
        }
        *of_key += 1;
        self.key = Some(key);
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counted = self.guard.counted.lock();
        counted.all = counted.all.saturating_sub(1);
        if let Some(network) = self.network {
            take_one(&mut counted.by_network, &network);
        }
        if let Some(key) = self.key {
            take_one(&mut counted.by_key, &key);
        }
        metrics::gauge!("sealpost_submission_connections").decrement(1);
    }
}

fn take_one<K: Eq + std::hash::Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn guard() -> Arc<Guard> {
        Guard::new(ConnectionLimits {
            all: 4,
            network: 2,
            key: 2,
        })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_takes_its_share_and_no_more() {
        let guard = guard();
        let held = [
            guard.place(ip("192.0.2.1")).unwrap(),
            guard.place(ip("::ffff:192.0.2.9")).unwrap(),
        ];
        assert!(guard.place(ip("192.0.2.200")).is_none());
        let other = guard.place(ip("198.51.100.1"));
        assert!(other.is_some());
        drop(held);
        assert!(guard.place(ip("192.0.2.200")).is_some());
    }

    #[test]
    fn all_together_take_no_more_than_there_is_and_this_machine_may_have_it_all() {
        let guard = guard();
        let held: Vec<_> = (0..4).map(|_| guard.place(ip("127.0.0.1")).unwrap()).collect();
        assert!(guard.place(ip("127.0.0.1")).is_none() && guard.place(ip("192.0.2.1")).is_none());
        drop(held);
        assert!(guard.place(ip("192.0.2.1")).is_some());
        let counted = guard.counted.lock();
        assert_eq!((counted.all, counted.by_network.len()), (0, 0));
    }

    #[test]
    fn a_key_has_so_many_connections() {
        let (guard, key) = (guard(), KeyId::from_uuid(Uuid::from_u128(1)));
        let mut places: Vec<_> = (0..3).map(|_| guard.place(ip("127.0.0.1")).unwrap()).collect();
        let let_in: Vec<bool> = places.iter_mut().map(|place| place.log_in(key)).collect();
        assert_eq!(let_in, [true, true, false]);
        drop(places);
        assert!(guard.counted.lock().by_key.is_empty());
    }

    #[test]
    fn a_network_that_guesses_is_not_listened_to_for_a_while() {
        let (guard, now) = (guard(), Instant::now());
        let place = guard.place(ip("2001:db8::1")).unwrap();
        for _ in 0..FAILED_LOGINS_MAX {
            assert!(place.may_log_in(now));
            place.login_failed(now);
        }
        assert!(!place.may_log_in(now));
        assert!(
            !guard.place(ip("2001:db8::2")).unwrap().may_log_in(now),
            "the same network"
        );
        assert!(guard.place(ip("192.0.2.1")).unwrap().may_log_in(now), "another one");
        let later = now + WINDOW;
        assert!(place.may_log_in(later));
        place.login_failed(later);
        assert!(place.may_log_in(later), "it is counted from the beginning");
    }
}
