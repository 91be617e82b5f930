//! Content that was kept just now, in memory within a bound: what goes out at once is not read back from the disk.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;

use sealpost_domain::ids::MessageId;

/// Bytes of everything that is remembered.
const BYTES_MAX: usize = 64 << 20;
/// Bytes of one message; larger ones are read back.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// One message's content in its two parts.
#[derive(Clone)]
pub struct Plain {
    /// What this recipient has alone.
    pub head: Vec<u8>,
    /// What all recipients of the call share.
    pub shared: Arc<Vec<u8>>,
}

impl Plain {
    fn size_bytes(&self) -> usize {
        self.head.len().saturating_add(self.shared.len())
    }

    fn joined(self) -> Vec<u8> {
        let Self { mut head, shared } = self;
        head.extend_from_slice(&shared);
        head
    }
}

/// What is remembered. The oldest goes first.
#[derive(Default)]
pub struct RecentContent {
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    by_message: HashMap<MessageId, Plain>,
    /// In the order of their coming; some have gone since.
    order: VecDeque<MessageId>,
    bytes: usize,
    /// Counts what was destroyed: content whose keeping began before must not come in behind it.
    destroyed: u64,
}

impl RecentContent {
    /// What [`Self::admit`] is to be told: taken before the keeping begins.
    pub fn ticket(&self) -> u64 {
        self.memory.lock().destroyed
    }

    /// Remembers content that became durable, unless something was destroyed since its ticket.
    pub fn admit(&self, ticket: u64, contents: Vec<(MessageId, Plain)>) {
        let mut memory = self.memory.lock();
        if memory.destroyed != ticket {
            return;
        }
        for (message, plain) in contents {
            memory.put(message, plain);
        }
    }

    /// Takes a message's content out: it goes once, and another try reads it back.
    pub fn take(&self, message: MessageId) -> Option<Vec<u8>> {
        let plain = self.memory.lock().remove(message)?;
        Some(plain.joined())
    }

    /// Forgets everything: something was destroyed, and what it was is not looked for here.
    pub fn forget_all(&self) {
        let mut memory = self.memory.lock();
        *memory = Memory {
            destroyed: memory.destroyed.wrapping_add(1),
            ..Memory::default()
        };
    }
}

impl Memory {
    fn put(&mut self, message: MessageId, plain: Plain) {
        let size = plain.size_bytes();
        if size > MESSAGE_BYTES_MAX {
            return;
        }
        // What is shared counts for each: the bound holds however many share it.
        self.bytes = self.bytes.saturating_add(size);
        self.by_message.insert(message, plain);
        self.order.push_back(message);
        while self.bytes > BYTES_MAX {
            let Some(oldest) = self.order.pop_front() else { return };
            self.remove(oldest);
        }
        // Those that were taken leave their places behind.
        while self
            .order
            .front()
            .is_some_and(|oldest| !self.by_message.contains_key(oldest))
        {
            self.order.pop_front();
        }
    }

    fn remove(&mut self, message: MessageId) -> Option<Plain> {
        let plain = self.by_message.remove(&message)?;
        self.bytes = self.bytes.saturating_sub(plain.size_bytes());
        Some(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u128) -> MessageId {
        MessageId::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn plain(head: &[u8], shared: &[u8]) -> Plain {
        Plain {
            head: head.to_vec(),
            shared: Arc::new(shared.to_vec()),
        }
    }

    #[test]
    fn content_is_given_once() {
        let recent = RecentContent::default();
        recent.admit(recent.ticket(), vec![(message(1), plain(b"head ", b"shared"))]);
        assert_eq!(recent.take(message(1)).as_deref(), Some(b"head shared".as_slice()));
        assert_eq!(recent.take(message(1)), None);
        assert_eq!(recent.memory.lock().bytes, 0);
    }

    #[test]
    fn what_is_kept_stays_within_its_bound_and_the_oldest_goes() {
        let recent = RecentContent::default();
        let body = vec![0; MESSAGE_BYTES_MAX];
        for number in 0..200 {
            recent.admit(recent.ticket(), vec![(message(number), plain(&[], &body))]);
            assert!(recent.memory.lock().bytes <= BYTES_MAX);
        }
        assert!(recent.take(message(0)).is_none(), "the oldest is gone");
        assert!(recent.take(message(199)).is_some());
        recent.admit(recent.ticket(), vec![(message(200), plain(b"x", &body))]);
        assert!(recent.take(message(200)).is_none(), "too large");
    }

    #[test]
    fn places_of_what_was_taken_do_not_pile_up() {
        let recent = RecentContent::default();
        for number in 0..10_000 {
            recent.admit(recent.ticket(), vec![(message(number), plain(b"a", b"b"))]);
            recent.take(message(number));
        }
        assert!(recent.memory.lock().order.len() < 3);
    }

    #[test]
    fn what_was_being_kept_while_something_was_destroyed_does_not_come_in_behind_it() {
        let recent = RecentContent::default();
        recent.admit(recent.ticket(), vec![(message(1), plain(b"a", b""))]);
        let ticket = recent.ticket();
        recent.forget_all();
        recent.admit(ticket, vec![(message(2), plain(b"b", b""))]);
        assert!(recent.take(message(1)).is_none() && recent.take(message(2)).is_none());
    }
}
