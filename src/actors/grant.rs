//! The right to send one message once: asked for before `DATA`, and told the outcome by whoever holds it.

use sealpost_domain::Instant;
use sealpost_domain::message::Started;
use thiserror::Error;

use super::accounts::Accounts;
use super::dispatch::Dispatch;
use super::work::StartCall;

/// Why the right to send was not given. Nothing was sent, and nothing is to be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StartRefused {
    /// The stream has moved on: somebody else sends it, or it is held or finished.
    #[error("the message's stream has moved on")]
    Conflict,
    /// Its key is frozen; the message waits in the spool until it is thawed.
    #[error("the key is frozen")]
    KeyFrozen,
    /// Its account is suspended; the message waits in the spool.
    #[error("the account is suspended")]
    Suspended,
    /// Its account is parked after repeated failures; the message waits in the spool.
    #[error("the account is parked")]
    Parked,
    /// Its time is over: it is to bounce.
    #[error("the message has expired")]
    Expired,
    /// The session gives less TLS than account or message demand, or its clear text comes too early.
    #[error("the session does not give the protection that is demanded")]
    TlsUnmet,
    /// The log cannot be written, or the account's actor failed: try again soon.
    #[error("the log cannot be written at the moment")]
    Unavailable,
}

/// The right to send one message, or the way to it.
#[derive(Debug)]
pub struct Grant {
    accounts: Accounts,
    dispatch: Dispatch,
    given: bool,
}

impl Grant {
    /// A right that is not yet given.
    #[must_use]
    pub fn new(accounts: Accounts, dispatch: Dispatch) -> Self {
        Self {
            accounts,
            dispatch,
            given: false,
        }
    }

    /// Now, by the log's clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.accounts.now()
    }

    /// Whether the right was given.
    #[must_use]
    pub const fn is_given(&self) -> bool {
        self.given
    }

    /// The message with its stream as it stands now.
    #[must_use]
    pub const fn dispatch(&self) -> &Dispatch {
        &self.dispatch
    }

    /// Asks for the right. When this returns `Ok`, `DeliveryStarted` is on disk, and whoever asked owes an outcome.
    ///
    /// # Errors
    /// As [`StartRefused`] says; the message is then to be left alone.
    pub async fn start(&mut self, started: Started) -> Result<(), StartRefused> {
        let call = StartCall {
            account: self.dispatch.account,
            message: self.dispatch.message,
            state: self.dispatch.state.clone(),
            sequence: self.dispatch.sequence,
            started,
        };
        let granted = self.accounts.start(call).await?;
        self.dispatch.state = granted.state;
        self.dispatch.sequence = granted.sequence;
        self.dispatch.refused_starts = 0;
        self.given = true;
        Ok(())
    }
}
