//! What protection the mail of each account demands, as its actor last had it on disk: attempts look it up without asking
//! the actor each time.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use sealpost_domain::ids::AccountId;
use sealpost_domain::tls_rule::AccountTls;

/// The choices of the accounts that were awake in this run. Cheap to clone. Only an account's actor writes its own, when it
/// wakes and when a change is durable, so that none is ever older than the last answer that was given.
#[derive(Debug, Clone, Default)]
pub struct TlsChoices(Arc<RwLock<HashMap<AccountId, AccountTls>>>);

impl TlsChoices {
    /// What the account chose; `None` while its actor has not been awake.
    pub(super) fn of(&self, account: AccountId) -> Option<AccountTls> {
        self.0.read().get(&account).copied()
    }

    /// Takes what the actor has on disk.
    pub(super) fn set(&self, account: AccountId, tls: AccountTls) {
        self.0.write().insert(account, tls);
    }
}
