//! Tells who follows the log how far it is on disk: to tasks by a watch channel, to threads by a condition.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tokio::sync::watch;

/// The durable head, and who waits for it to move.
#[derive(Debug, Clone)]
pub(super) struct Tail(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    sender: watch::Sender<u64>,
    position: Mutex<u64>,
    moved: Condvar,
}

impl Tail {
    /// A tail at the start of a log.
    pub(super) fn new() -> Self {
        Self(Arc::new(Shared {
            sender: watch::Sender::new(0),
            position: Mutex::new(0),
            moved: Condvar::new(),
        }))
    }

    /// Everything up to here is on disk.
    pub(super) fn advance(&self, position: u64) {
        *self.0.position.lock() = position;
        self.0.moved.notify_all();
        self.0.sender.send_replace(position);
    }

    /// The last position on disk.
    pub(super) fn head(&self) -> u64 {
        *self.0.position.lock()
    }

    /// For tasks: changes whenever the head moves.
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.sender.subscribe()
    }

    /// Blocks until the head is past `position`, at most so long; the head as it is then.
    pub(super) fn wait_past(&self, position: u64, at_most: Duration) -> u64 {
        let mut head = self.0.position.lock();
        self.0
            .moved
            .wait_while_for(&mut head, |head| *head <= position, at_most);
        *head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_waits_sees_the_head_move() {
        let tail = Tail::new();
        let follower = tail.clone();
        let waiting = std::thread::spawn(move || follower.wait_past(0, Duration::from_secs(60)));
        tail.advance(3);
        assert_eq!(waiting.join().unwrap(), 3);
        assert_eq!(tail.wait_past(3, Duration::ZERO), 3);
        assert_eq!(*tail.subscribe().borrow(), 3);
    }
}
