//! The state of an account and its decisions.

use serde::{Deserialize, Serialize};

use crate::aggregate::aggregate;
use crate::message::InDoubtPolicy;
use crate::tls_rule::AccountTls;

use super::{AccountCommand, AccountEvent, AccountRefusal};

/// Whether an account may send.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Not opened.
    #[default]
    None,
    /// It may.
    Open,
    /// It may not.
    Suspended,
}

/// An account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Whether it may send.
    pub standing: Standing,
    /// What happens to its mail in doubt.
    pub in_doubt: InDoubtPolicy,
    /// What protection its mail demands.
    #[serde(default)]
    pub tls: AccountTls,
}

impl Account {
    /// Decides; pure.
    ///
    /// # Errors
    /// As [`AccountRefusal`] says.
    pub fn decide(&self, command: AccountCommand) -> Result<Vec<AccountEvent>, AccountRefusal> {
        match (self.standing, command) {
            (Standing::None, AccountCommand::OpenAccount { name, contact }) => {
                Ok(vec![AccountEvent::AccountOpened { name, contact }])
            }
            (Standing::None, _) => Err(AccountRefusal::Unknown),
            (_, AccountCommand::OpenAccount { .. }) => Err(AccountRefusal::AlreadyOpen),
            (_, AccountCommand::ChangeContact { contact }) => Ok(vec![AccountEvent::ContactChanged { contact }]),
            (_, AccountCommand::ChangeInDoubtPolicy { policy }) if policy == self.in_doubt => {
                Err(AccountRefusal::NothingChanged)
            }
            (_, AccountCommand::ChangeInDoubtPolicy { policy }) => {
                Ok(vec![AccountEvent::InDoubtPolicyChanged { policy }])
            }
            (_, AccountCommand::ChangeTlsDemand { tls }) if tls == self.tls => Err(AccountRefusal::NothingChanged),
            (_, AccountCommand::ChangeTlsDemand { tls }) => Ok(vec![AccountEvent::TlsDemandChanged { tls }]),
            (Standing::Open, AccountCommand::SuspendAccount { reason }) => {
                Ok(vec![AccountEvent::AccountSuspended { reason }])
            }
            (Standing::Suspended, AccountCommand::SuspendAccount { .. }) => Err(AccountRefusal::AlreadySuspended),
            (Standing::Suspended, AccountCommand::ReinstateAccount) => Ok(vec![AccountEvent::AccountReinstated]),
            (Standing::Open, AccountCommand::ReinstateAccount) => Err(AccountRefusal::NotSuspended),
        }
    }

    /// Takes an event into the state; total and pure.
    pub fn evolve(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::AccountOpened { .. } | AccountEvent::AccountReinstated => self.standing = Standing::Open,
            AccountEvent::AccountSuspended { .. } => self.standing = Standing::Suspended,
            AccountEvent::InDoubtPolicyChanged { policy } => self.in_doubt = *policy,
            AccountEvent::TlsDemandChanged { tls } => self.tls = *tls,
            AccountEvent::ContactChanged { .. } => {}
        }
    }
}

aggregate!(Account, "account", AccountCommand, AccountEvent, AccountRefusal);
