//! Finds data keys: in memory, else in `keys.db`, opened and remembered within a bound.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::Connection;

use sealpost_domain::ids::{DataKeyId, MessageId};
use sealpost_domain::limits::DATA_KEYS_IN_MEMORY_MAX;

use super::data_key::{DataKey, ScopeBytes};
use super::failure::{Damage, VaultFailure};
use super::keys_db::{self, StoredKey};
use super::master_key::MasterKey;

/// What each of two generations of remembered keys holds.
const GENERATION_KEYS: usize = DATA_KEYS_IN_MEMORY_MAX as usize / 2;
/// Connections that are kept for the next reader.
const IDLE_READERS_MAX: usize = 8;

/// Finds data keys. Shared by all threads.
pub struct Keyring {
    path: PathBuf,
    master: MasterKey,
    readers: Mutex<Vec<Connection>>,
    memory: Mutex<Memory>,
}

/// What is remembered. Only keys that are durable get in.
struct Memory {
    by_id: Generations<DataKeyId, Arc<DataKey>>,
    by_scope: Generations<ScopeBytes, Arc<DataKey>>,
    /// Counts destroyed keys: a reader who found a key before its destruction must not bring it back after.
    destroyed: u64,
}

impl Keyring {
    /// Makes an empty one over the database at `path`.
    pub fn new(path: &Path, master: MasterKey) -> Self {
        Self {
            path: path.to_owned(),
            master,
            readers: Mutex::new(Vec::new()),
            memory: Mutex::new(Memory {
                by_id: Generations::new(GENERATION_KEYS),
                by_scope: Generations::new(GENERATION_KEYS),
                destroyed: 0,
            }),
        }
    }

    /// The master key, for wrapping.
    pub const fn master(&self) -> &MasterKey {
        &self.master
    }

    /// Finds a key by its id; `None` when it is destroyed or was never drawn.
    pub fn by_id(&self, id: DataKeyId) -> Result<Option<Arc<DataKey>>, VaultFailure> {
        let destroyed = {
            let mut memory = self.memory.lock();
            if let Some(key) = memory.by_id.get(&id) {
                return Ok(Some(key));
            }
            memory.destroyed
        };
        let stored = self.read(|db| keys_db::key_by_id(db, id))?;
        self.opened(stored, destroyed)
    }

    /// Finds the key of a scope; `None` when there is none.
    pub fn by_scope(&self, scope: &ScopeBytes) -> Result<Option<Arc<DataKey>>, VaultFailure> {
        let destroyed = {
            let mut memory = self.memory.lock();
            if let Some(key) = memory.by_scope.get(scope) {
                return Ok(Some(key));
            }
            memory.destroyed
        };
        let stored = self.read(|db| keys_db::key_by_scope(db, scope))?;
        self.opened(stored, destroyed)
    }

    /// Finds the key of a scope in memory alone.
    pub fn remembered(&self, scope: &ScopeBytes) -> Option<Arc<DataKey>> {
        self.memory.lock().by_scope.get(scope)
    }

    /// Opens a stored key.
    pub fn unwrap(&self, stored: StoredKey) -> Result<Arc<DataKey>, VaultFailure> {
        let StoredKey { id, scope, wrapped } = stored;
        DataKey::unwrap(id, scope, wrapped, &self.master)?
            .map(Arc::new)
            .ok_or(VaultFailure::Corrupt { what: Damage::Key(id) })
    }

    /// Remembers keys that just became durable.
    pub fn admit(&self, keys: impl IntoIterator<Item = Arc<DataKey>>) {
        let mut memory = self.memory.lock();
        for key in keys {
            memory.remember(key);
        }
    }

    /// Forgets a key that is destroyed in the database.
    pub fn forget(&self, id: DataKeyId) {
        let mut memory = self.memory.lock();
        memory.destroyed = memory.destroyed.wrapping_add(1);
        memory.by_id.remove(&id);
        // The scope may name a newer key by now, and the two maps forget at different times: go by the id.
        memory.by_scope.retain(|key| key.id != id);
    }

    /// Finds the wrapped part keys of a message, and the data key that opens them.
    pub fn wrap_of(&self, message: MessageId) -> Result<Option<(DataKeyId, Vec<u8>)>, VaultFailure> {
        self.read(|db| keys_db::wrap_of(db, message))
    }

    fn opened(&self, stored: Option<StoredKey>, destroyed: u64) -> Result<Option<Arc<DataKey>>, VaultFailure> {
        let Some(stored) = stored else { return Ok(None) };
        let key = self.unwrap(stored)?;
        let mut memory = self.memory.lock();
        if memory.destroyed == destroyed {
            memory.remember(Arc::clone(&key));
        }
        Ok(Some(key))
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, VaultFailure>) -> Result<T, VaultFailure> {
        let idle = self.readers.lock().pop();
        let db = match idle {
            Some(db) => db,
            None => keys_db::open_reader(&self.path)?,
        };
        // A connection that failed is not used again: it is dropped here.
        let found = read(&db)?;
        let mut readers = self.readers.lock();
        if readers.len() < IDLE_READERS_MAX {
            readers.push(db);
        }
        Ok(found)
    }
}

impl Memory {
    fn remember(&mut self, key: Arc<DataKey>) {
        self.by_scope.insert(key.scope.clone(), Arc::clone(&key));
        self.by_id.insert(key.id, key);
    }
}

/// A bounded map: when the young half is full it becomes the old one, and what was old and not asked for goes.
struct Generations<K, V> {
    half: usize,
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Hash + Eq + Clone, V: Clone> Generations<K, V> {
    fn new(half: usize) -> Self {
        Self {
            half,
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }

    fn get<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let (key, value) = self.old.remove_entry(key)?;
        self.insert(key, value.clone());
        Some(value)
    }

    fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    fn remove(&mut self, key: &K) {
        self.old.remove(key);
        self.young.remove(key);
    }

    fn retain(&mut self, keep: impl Fn(&V) -> bool) {
        self.old.retain(|_, value| keep(value));
        self.young.retain(|_, value| keep(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_bound_holds() {
        let mut map = Generations::new(10);
        map.insert(0, "kept");
        for n in 1..1_000 {
            map.insert(n, "passing");
            assert_eq!(map.get(&0), Some("kept"), "after {n}");
            assert!(map.young.len() + map.old.len() <= 20, "after {n}");
        }
        assert_eq!(map.get(&1), None);
    }

    #[test]
    fn what_is_removed_is_in_neither_half() {
        let mut map = Generations::new(2);
        for n in 0..3 {
            map.insert(n, ());
        }
        assert!(map.old.contains_key(&0) && map.young.contains_key(&2));
        map.remove(&0);
        map.remove(&2);
        assert_eq!((map.get(&0), map.get(&1), map.get(&2)), (None, Some(()), None));
        map.retain(|()| false);
        assert_eq!(map.get(&1), None);
    }
}
