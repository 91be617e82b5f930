//! Credits: how many rows of one account may wait for the disk, so that no tenant owns the queue.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use sealpost_domain::ids::AccountId;
use sealpost_domain::limits::ACCOUNT_CREDIT_ROWS;

/// The credits of all accounts.
#[derive(Debug, Clone, Default)]
pub struct Credits {
    in_flight: Arc<Mutex<HashMap<AccountId, u64>>>,
}

/// Credit that a call has taken; given back when it is dropped.
#[derive(Debug)]
pub struct Credit {
    credits: Credits,
    account: AccountId,
    rows: u64,
}

impl Credits {
    /// Takes credit for a call of `rows` rows; `None` when the account has too much under way. A call above the whole
    /// credit is admitted when nothing else of the account is under way.
    #[must_use]
    pub fn take(&self, account: AccountId, rows: u64) -> Option<Credit> {
        let mut in_flight = self.in_flight.lock();
        let used = in_flight.entry(account).or_default();
        if *used > 0 && used.saturating_add(rows) > ACCOUNT_CREDIT_ROWS {
            return None;
        }
        *used = used.saturating_add(rows);
        drop(in_flight);
        Some(Credit {
            credits: self.clone(),
            account,
            rows,
        })
    }
}

impl Drop for Credit {
    fn drop(&mut self) {
        let mut in_flight = self.credits.in_flight.lock();
        if let Some(used) = in_flight.get_mut(&self.account) {
            *used = used.saturating_sub(self.rows);
            if *used == 0 {
                in_flight.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn one_account_runs_out_of_credit_and_another_does_not() {
        let credits = Credits::default();
        let (one, other) = (
            AccountId::from_uuid(Uuid::from_u128(1)),
            AccountId::from_uuid(Uuid::from_u128(2)),
        );
        let held = credits.take(one, ACCOUNT_CREDIT_ROWS).unwrap();
        assert!(credits.take(one, 1).is_none());
        assert!(credits.take(other, 1).is_some());
        drop(held);
        assert!(
            credits.take(one, ACCOUNT_CREDIT_ROWS * 2).is_some(),
            "a large call passes when nothing is under way"
        );
    }
}
