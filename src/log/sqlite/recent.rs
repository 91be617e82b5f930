//! Remembers what was used lately, in bounded memory: two maps, of which the older is dropped when the younger is full.

use std::collections::HashMap;
use std::hash::Hash;

/// A map that forgets what was not used for a while. At most twice its capacity.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    capacity: usize,
}

impl<K: Eq + Hash + Clone, V: Copy> Recent<K, V> {
    /// An empty one.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            capacity,
        }
    }

    /// What is remembered under this key.
    pub(super) fn get(&mut self, key: &K) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(*value);
        }
        let (key, value) = self.old.remove_entry(key)?;
        self.put(key, value);
        Some(value)
    }

    /// Remembers.
    pub(super) fn put(&mut self, key: K, value: V) {
        if self.young.len() >= self.capacity {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_what_is_not_goes() {
        let mut recent = Recent::new(2);
        for key in 0..3 {
            recent.put(key, key);
        }
        assert_eq!(recent.get(&0), Some(0), "moved to the young");
        for key in 3..5 {
            recent.put(key, key);
        }
        assert_eq!(recent.get(&0), Some(0));
        assert_eq!(recent.get(&1), None);
        assert!(recent.young.len() <= 2 && recent.old.len() <= 2);
    }

    #[test]
    fn a_later_value_hides_the_earlier_one() {
        let mut recent = Recent::new(1);
        recent.put("a", 1);
        recent.put("b", 1);
        recent.put("a", 2);
        assert_eq!(recent.get(&"a"), Some(2));
        recent.clear();
        assert_eq!(recent.get(&"a"), None);
    }
}
