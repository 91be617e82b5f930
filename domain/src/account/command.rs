//! What may be asked of an account.

use crate::message::InDoubtPolicy;
use crate::personal::Personal;
use crate::tls_rule::AccountTls;

/// Commands on an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountCommand {
    /// Open it.
    OpenAccount {
        /// Its name.
        name: Personal<String>,
        /// Address for notices.
        contact: Personal<String>,
    },
    /// Change the address for notices.
    ChangeContact {
        /// The new address.
        contact: Personal<String>,
    },
    /// Choose what happens to mail in doubt.
    ChangeInDoubtPolicy {
        /// The choice.
        policy: InDoubtPolicy,
    },
    /// Choose what protection its mail demands.
    ChangeTlsDemand {
        /// The choice.
        tls: AccountTls,
    },
    /// Stop all its sending.
    SuspendAccount {
        /// Why, in the operator's words.
        reason: Personal<String>,
    },
    /// Let it send again.
    ReinstateAccount,
}
