//! Counts connections, so that nobody takes what is everybody's.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use sealpost_domain::limits;
use sealpost_domain::network::Network;

const ALL_MAX: usize = limits::INBOUND_CONNECTIONS_MAX as usize;
const NETWORK_MAX: usize = limits::INBOUND_CONNECTIONS_PER_NETWORK_MAX as usize;

/// The connections that there are.
#[derive(Debug, Default)]
pub(super) struct Guard(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    all: usize,
    by_network: HashMap<Network, usize>,
}

/// A connection's place; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    guard: Arc<Guard>,
    /// `None` for this machine itself: a server that stands before us speaks for many.
    network: Option<Network>,
}

impl Guard {
    /// A place for a connection of this peer; `None` when all, or its network's, are taken.
    pub(super) fn place(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let peer = peer.to_canonical();
        let network = (!peer.is_loopback()).then(|| Network::around(peer));
        let mut counted = self.0.lock();
        if counted.all >= ALL_MAX {
            return None;
        }
        if let Some(network) = network {
            let of_network = counted.by_network.entry(network).or_default();
            if *of_network >= NETWORK_MAX {
                return None;
            }
            *of_network += 1;
        }
        counted.all += 1;
        Some(Place {
            guard: Arc::clone(self),
            network,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counted = self.guard.0.lock();
        counted.all = counted.all.saturating_sub(1);
        let Some(network) = self.network else { return };
        if let Some(count) = counted.by_network.get_mut(&network) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counted.by_network.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_and_all_together_take_their_share_and_give_it_back() {
        let guard = Arc::new(Guard::default());
        let of_one: Vec<_> = (0..NETWORK_MAX)
            .map(|_| guard.place(ip("192.0.2.1")).unwrap())
            .collect();
        assert!(guard.place(ip("192.0.2.77")).is_none());
        let own: Vec<_> = (NETWORK_MAX..ALL_MAX)
            .map(|_| guard.place(ip("127.0.0.1")).unwrap())
            .collect();
        assert!(guard.place(ip("127.0.0.1")).is_none() && guard.place(ip("198.51.100.1")).is_none());
        drop((of_one, own));
        assert!(guard.place(ip("192.0.2.77")).is_some());
        let counted = guard.0.lock();
        assert_eq!((counted.all, counted.by_network.len()), (0, 0));
    }
}
