//! Remembers what was found for a domain, for as long as it may be believed.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use parking_lot::Mutex;
use sealpost_domain::Instant;

/// A bounded memory whose entries end by themselves. When it is full, what ends first goes first.
pub(super) struct Cache<K, V> {
    inner: Mutex<Inner<K, V>>,
    entries_max: usize,
}

struct Inner<K, V> {
    entries: HashMap<K, (Instant, u64, V)>,
    /// By end, then by the number that was drawn for the entry.
    ends: BTreeMap<(Instant, u64), K>,
    drawn: u64,
}

impl<K: Clone + Eq + Hash, V: Clone> Cache<K, V> {
    pub(super) fn new(entries_max: usize) -> Self {
        Self {
            inner: Mutex::new(Inner {
                entries: HashMap::new(),
                ends: BTreeMap::new(),
                drawn: 0,
            }),
            entries_max,
        }
    }

    /// What is remembered at this time.
    pub(super) fn get(&self, key: &K, now: Instant) -> Option<V> {
        let mut inner = self.inner.lock();
        inner.forget_until(now);
        inner.entries.get(key).map(|(_, _, value)| value.clone())
    }

    /// Remembers until then.
    pub(super) fn put(&self, key: K, value: V, until: Instant) {
        let mut inner = self.inner.lock();
        inner.drawn = inner.drawn.saturating_add(1);
        let number = inner.drawn;
        if let Some((end, former, _)) = inner.entries.insert(key.clone(), (until, number, value)) {
            inner.ends.remove(&(end, former));
        }
        inner.ends.insert((until, number), key);
        while inner.entries.len() > self.entries_max {
            let Some((_, first)) = inner.ends.pop_first() else {
                break;
            };
            inner.entries.remove(&first);
        }
    }
}

impl<K: Eq + Hash, V> Inner<K, V> {
    fn forget_until(&mut self, now: Instant) {
        while let Some(first) = self.ends.first_entry() {
            if first.key().0 > now {
                break;
            }
            let key = first.remove();
            self.entries.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn an_entry_ends_at_its_time_and_a_new_one_takes_the_place_of_the_old() {
        let cache = Cache::new(10);
        cache.put("a", 1, at(10));
        assert_eq!(cache.get(&"a", at(9)), Some(1));
        cache.put("a", 2, at(20));
        assert_eq!(
            cache.get(&"a", at(15)),
            Some(2),
            "the end of the old one is gone with it"
        );
        assert_eq!(cache.get(&"a", at(20)), None);
    }

    #[test]
    fn a_full_memory_forgets_what_would_end_first() {
        let cache = Cache::new(2);
        cache.put("a", 1, at(30));
        cache.put("b", 2, at(10));
        cache.put("c", 3, at(20));
        assert_eq!(cache.get(&"b", at(0)), None);
        assert_eq!(cache.get(&"a", at(0)), Some(1));
        assert_eq!(cache.get(&"c", at(0)), Some(3));
    }
}
