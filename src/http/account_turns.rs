//! Turns of each account: so many of its reads run at once, and whoever asks for more waits behind himself alone.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use sealpost_domain::ids::AccountId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error_code::ErrorCode;
use super::fault::Fault;

/// Accounts above which those without a turn are forgotten.
const REMEMBERED: usize = 1_000;

/// The turns of all accounts. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct AccountTurns {
    at_once: usize,
    of: Arc<Mutex<HashMap<AccountId, Weak<Semaphore>>>>,
}

impl AccountTurns {
    /// So many turns for each account.
    pub(super) fn new(at_once: usize) -> Self {
        Self {
            at_once: at_once.max(1),
            of: Arc::default(),
        }
    }

    /// Waits for a turn. It lasts until it is dropped.
    ///
    /// # Errors
    /// None in truth: nobody closes the turns.
    pub(super) async fn take(&self, account: AccountId) -> Result<OwnedSemaphorePermit, Fault> {
        let turns = self.of_account(account);
        turns
            .acquire_owned()
            .await
            .map_err(|_| Fault::from(ErrorCode::Unavailable))
    }

    fn of_account(&self, account: AccountId) -> Arc<Semaphore> {
        let mut of = self.of.lock();
        if let Some(turns) = of.get(&account).and_then(Weak::upgrade) {
            return turns;
        }
        if of.len() >= REMEMBERED {
            of.retain(|_, turns| turns.strong_count() > 0);
        }
        let turns = Arc::new(Semaphore::new(self.at_once));
        of.insert(account, Arc::downgrade(&turns));
        turns
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use uuid::Uuid;

    use super::*;

    fn account(number: u128) -> AccountId {
        AccountId::from_uuid(Uuid::from_u128(number))
    }

    #[tokio::test]
    async fn an_account_waits_for_itself_and_for_nobody_else() {
        let turns = AccountTurns::new(2);
        let first = turns.take(account(1)).await.unwrap();
        let _second = turns.take(account(1)).await.unwrap();
        assert!(turns.take(account(1)).now_or_never().is_none(), "a third one at once");
        assert!(turns.take(account(2)).now_or_never().is_some(), "another account");
        drop(first);
        assert!(turns.take(account(1)).now_or_never().is_some());
    }

    #[tokio::test]
    async fn accounts_without_a_turn_are_forgotten() {
        let turns = AccountTurns::new(1);
        for number in 0..3_000 {
            drop(turns.take(account(number)).await);
        }
        assert!(turns.of.lock().len() <= REMEMBERED);
    }
}
