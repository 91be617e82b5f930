//! Finds whose a key is, and remembers it: that a key belongs to an account never changes, whatever becomes of the key.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use sealpost_domain::ids::{AccountId, KeyId};
use sealpost_domain::limits::KEYS_IN_MEMORY_MAX;
use sealpost_domain::rights::KeyHash;
use thiserror::Error;

/// Keys that are remembered. One takes about 200 bytes.
const REMEMBERED_MAX: usize = KEYS_IN_MEMORY_MAX as usize;

/// The index of keys cannot be read.
#[derive(Debug, Error)]
pub enum LookupFailure {
    /// The store behind it did not answer.
    #[error("the index of keys did not answer")]
    Index(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The program is ending.
    #[error("no key is looked up any more")]
    Ended,
}

/// The log's index of keys, as the program wires it.
pub trait KeyIndex: Send + Sync + 'static {
    /// The account and the key of this hash. Blocks.
    ///
    /// # Errors
    /// [`LookupFailure::Index`].
    fn owner(&self, hash: &KeyHash) -> Result<Option<(AccountId, KeyId)>, LookupFailure>;
}

/// The index with a memory of what it said. Clones share it.
#[derive(Clone)]
pub(super) struct KeyLookup {
    index: Arc<dyn KeyIndex>,
    remembered: Arc<Mutex<HashMap<KeyHash, (AccountId, KeyId)>>>,
}

impl fmt::Debug for KeyLookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyLookup({} remembered)", self.remembered.lock().len())
    }
}

impl KeyLookup {
    pub(super) fn new(index: Arc<dyn KeyIndex>) -> Self {
        Self {
            index,
            remembered: Arc::default(),
        }
    }

    /// Whose key it is. Only hits are remembered: a key may be issued at any time.
    pub(super) async fn owner(&self, hash: KeyHash) -> Result<Option<(AccountId, KeyId)>, LookupFailure> {
        if let Some(owner) = self.remembered.lock().get(&hash).copied() {
            return Ok(Some(owner));
        }
        let index = self.index.clone();
        let asked = hash.clone();
        let found = tokio::task::spawn_blocking(move || index.owner(&asked)).await;
        let found = found.map_err(|_| LookupFailure::Ended)??;
        if let Some(owner) = found {
            self.remember(hash, owner);
        }
        Ok(found)
    }

    fn remember(&self, hash: KeyHash, owner: (AccountId, KeyId)) {
        let mut remembered = self.remembered.lock();
        if remembered.len() >= REMEMBERED_MAX {
            // Rare, and cheap to build again: no list of ages is worth its upkeep.
            remembered.clear();
        }
        remembered.insert(hash, owner);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use uuid::Uuid;

    #[derive(Default)]
    struct Counted(AtomicU32);

    impl KeyIndex for Counted {
        fn owner(&self, hash: &KeyHash) -> Result<Option<(AccountId, KeyId)>, LookupFailure> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let owner = (
                AccountId::from_uuid(Uuid::from_u128(1)),
                KeyId::from_uuid(Uuid::from_u128(2)),
            );
            match hash.as_str() {
                "broken" => Err(LookupFailure::Index("gone".into())),
                "known" => Ok(Some(owner)),
                _ => Ok(None),
            }
        }
    }

    #[tokio::test]
    async fn a_hit_is_asked_once_and_a_miss_every_time() {
        let index = Arc::new(Counted::default());
        let lookup = KeyLookup::new(index.clone());
        let hash = |text: &str| KeyHash::from_hex(text.to_owned());
        for _ in 0..3 {
            assert!(lookup.owner(hash("known")).await.unwrap().is_some());
        }
        assert_eq!(index.0.load(Ordering::Relaxed), 1);
        for _ in 0..3 {
            assert!(lookup.owner(hash("unknown")).await.unwrap().is_none());
        }
        assert_eq!(index.0.load(Ordering::Relaxed), 4);
        assert!(matches!(
            lookup.owner(hash("broken")).await,
            Err(LookupFailure::Index(_))
        ));
    }
}
