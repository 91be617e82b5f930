//! Room in memory for contents on their way in: so much of all together, and so much of one peer.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use sealpost_domain::limits::{REQUEST_BODIES_BYTES_MAX, REQUEST_BODIES_PER_PEER_BYTES_MAX, REQUEST_FREE_BYTES};
use sealpost_domain::network::Network;

use thiserror::Error;

/// Room for all contents. Clones share it.
#[derive(Debug, Clone)]
pub struct ContentRoom(Arc<Mutex<Taken>>);

#[derive(Debug)]
struct Taken {
    free_kib: u64,
    per_peer_max_kib: u64,
    by_peer_kib: HashMap<Network, u64>,
}

/// What one content holds; given back when it is dropped.
#[derive(Debug)]
pub struct HeldRoom {
    room: ContentRoom,
    peer: Option<Network>,
    kib: u64,
}

/// All room, or the peer's share of it, is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("there is no room for more contents")]
pub struct NoRoom;

impl Default for ContentRoom {
    fn default() -> Self {
        Self::of_bytes(REQUEST_BODIES_BYTES_MAX, REQUEST_BODIES_PER_PEER_BYTES_MAX)
    }
}

impl ContentRoom {
    /// So many bytes for all, and so many for one peer.
    #[must_use]
    pub fn of_bytes(all: u64, per_peer: u64) -> Self {
        Self(Arc::new(Mutex::new(Taken {
            free_kib: all >> 10,
            per_peer_max_kib: per_peer >> 10,
            by_peer_kib: HashMap::new(),
        })))
    }

    /// No room yet, for a content of this peer. All of one network count as one. This machine itself has no share of its
    /// own: what stands here, a proxy or the operator, speaks for many.
    #[must_use]
    pub fn of_peer(&self, peer: IpAddr) -> HeldRoom {
        HeldRoom {
            room: self.clone(),
            peer: (!peer.is_loopback()).then(|| Network::around(peer)),
            kib: 0,
        }
    }

    /// KiB that nobody has taken.
    #[must_use]
    pub fn free_kib(&self) -> u64 {
        self.0.lock().free_kib
    }
}

impl HeldRoom {
    /// Whose it is; nobody's when whoever stands there speaks for many.
    #[must_use]
    pub const fn peer(&self) -> Option<Network> {
        self.peer
    }

    /// Takes what is missing for so many bytes of memory. The beginning is free: a usual mail is let in however many
    /// large ones are on their way.
    ///
    /// # Errors
    /// [`NoRoom`] when all room, or the peer's share of it, is taken; what is held stays held.
    pub fn grow(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let wanted_kib = (bytes as u64).saturating_sub(REQUEST_FREE_BYTES).div_ceil(1024);
        let more = wanted_kib.saturating_sub(self.kib);
        if more == 0 {
            return Ok(());
        }
        let mut taken = self.room.0.lock();
        let of_peer = self.peer.and_then(|peer| taken.by_peer_kib.get(&peer)).copied();
        let of_peer = of_peer.unwrap_or_default().saturating_add(more);
        if more > taken.free_kib || (self.peer.is_some() && of_peer > taken.per_peer_max_kib) {
            return Err(NoRoom);
        }
        taken.free_kib = taken.free_kib.saturating_sub(more);
        if let Some(peer) = self.peer {
            taken.by_peer_kib.insert(peer, of_peer);
        }
        self.kib = self.kib.saturating_add(more);
        Ok(())
    }
}

impl HeldRoom {
    /// Gives back all that is held.
    pub fn give_back(&mut self) {
        let kib = std::mem::take(&mut self.kib);
        if kib == 0 {
            return;
        }
        let mut taken = self.room.0.lock();
        taken.free_kib = taken.free_kib.saturating_add(kib);
        let Some(peer) = self.peer else { return };
        let left = taken.by_peer_kib.get(&peer).copied().unwrap_or_default();
        match left.saturating_sub(kib) {
            0 => taken.by_peer_kib.remove(&peer),
            left => taken.by_peer_kib.insert(peer, left),
        };
    }
}

impl Drop for HeldRoom {
    fn drop(&mut self) {
        self.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: usize = REQUEST_FREE_BYTES as usize;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_body_that_comes_byte_by_byte_takes_its_sum_and_no_more() {
        let room = ContentRoom::of_bytes(64 << 10, 64 << 10);
        let mut held = room.of_peer(ip("192.0.2.1"));
        for bytes in 1..=FREE + 10_000 {
            held.grow(bytes).unwrap();
        }
        assert_eq!(room.free_kib(), 54);
        drop(held);
        assert_eq!(room.free_kib(), 64);
    }

    #[test]
    fn one_network_cannot_take_all_and_its_share_comes_back() {
        let room = ContentRoom::of_bytes(64 << 10, 32 << 10);
        let mut first = room.of_peer(ip("2001:db8::1"));
        first.grow(FREE + (30 << 10)).unwrap();
        let mut neighbour = room.of_peer(ip("2001:db8::2"));
        assert_eq!(neighbour.grow(FREE + (3 << 10)).unwrap_err(), NoRoom);
        let mut other = room.of_peer(ip("192.0.2.1"));
        other.grow(FREE + (30 << 10)).unwrap();
        drop(first);
        neighbour.grow(FREE + (3 << 10)).unwrap();
        drop((neighbour, other));
        let taken = room.0.lock();
        assert_eq!((taken.free_kib, taken.by_peer_kib.len()), (64, 0));
    }

    #[test]
    fn whoever_speaks_for_many_has_no_share_of_his_own() {
        let room = ContentRoom::of_bytes(64 << 10, 0);
        let mut held = room.of_peer(ip("127.0.0.1"));
        held.grow(FREE + (64 << 10)).unwrap();
        assert_eq!(held.grow(FREE + (65 << 10)).unwrap_err(), NoRoom);
    }
}
