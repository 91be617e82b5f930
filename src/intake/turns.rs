//! Turns of each account or network: so much of its work runs at once, and whoever asks for more waits behind himself alone.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::work_pool::WorkLost;

/// How many are remembered; above that, those without a turn are forgotten.
const REMEMBERED: usize = 1_000;

/// The turns of all. Clones share them.
#[derive(Debug, Clone)]
pub struct Turns<Who> {
    at_once: usize,
    of: Arc<Mutex<HashMap<Who, Weak<Semaphore>>>>,
}

impl<Who: Copy + Eq + Hash> Turns<Who> {
    /// So many turns for each, one at least.
    #[must_use]
    pub fn new(at_once: usize) -> Self {
        Self {
            at_once: at_once.max(1),
            of: Arc::default(),
        }
    }

    /// Waits for a turn. It lasts until it is dropped.
    ///
    /// # Errors
    /// None in truth: nobody closes the turns.
    pub async fn take(&self, who: Who) -> Result<OwnedSemaphorePermit, WorkLost> {
        let turns = self.turns_of(who);
        turns.acquire_owned().await.map_err(|_| WorkLost::Ended)
    }

    fn turns_of(&self, who: Who) -> Arc<Semaphore> {
        let mut of = self.of.lock();
        if let Some(turns) = of.get(&who).and_then(Weak::upgrade) {
            return turns;
        }
        if of.len() >= REMEMBERED {
            of.retain(|_, turns| turns.strong_count() > 0);
        }
        let turns = Arc::new(Semaphore::new(self.at_once));
        of.insert(who, Arc::downgrade(&turns));
        turns
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use sealpost_domain::ids::AccountId;
    use uuid::Uuid;

    use super::*;

    fn account(number: u128) -> AccountId {
        AccountId::from_uuid(Uuid::from_u128(number))
    }

    #[tokio::test]
    async fn an_account_waits_for_itself_and_for_nobody_else() {
        let turns = Turns::new(2);
        let first = turns.take(account(1)).await.unwrap();
        let _second = turns.take(account(1)).await.unwrap();
        assert!(turns.take(account(1)).now_or_never().is_none(), "a third one at once");
        assert!(turns.take(account(2)).now_or_never().is_some(), "another account");
        drop(first);
        assert!(turns.take(account(1)).now_or_never().is_some());
    }

    #[tokio::test]
    async fn accounts_without_a_turn_are_forgotten() {
        let turns = Turns::new(1);
        for number in 0..3_000 {
            drop(turns.take(account(number)).await);
        }
        assert!(turns.of.lock().len() <= REMEMBERED);
    }
}
