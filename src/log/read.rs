//! Reads the log: streams, accounts, indexes, the durable head. Personal fields come sealed, as they are stored.

use std::sync::Arc;
use std::time::Duration;

use sealpost_domain::address::AddressToken;
use sealpost_domain::ids::{AccountId, EventId, KeyId, UserId};
use sealpost_domain::rights::KeyHash;
use sealpost_domain::user::LoginToken;
use sealpost_domain::{Recorded, StreamId};
use tokio::sync::watch;

use crate::clock::Clock;

use super::append::IdempotencyAnswer;
use super::failure::LogFailure;
use super::store::{Reads, Suppressed};
use super::tail::Tail;

/// The readers' side of the log. Everything but [`LogReader::head`] and [`LogReader::tail`] blocks on the disk.
#[derive(Clone)]
pub struct LogReader {
    reads: Arc<dyn Reads>,
    tail: Tail,
    clock: Arc<dyn Clock>,
}

#[expect(
    clippy::missing_errors_doc,
    reason = "each fails alike: the store did not answer, or a row is not in its form"
)]
impl LogReader {
    /// Reads from a store whose durable head the writer tells.
    pub(super) fn new(reads: Arc<dyn Reads>, tail: Tail, clock: Arc<dyn Clock>) -> Self {
        Self { reads, tail, clock }
    }

    /// The last position on disk.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.tail.head()
    }

    /// Changes whenever the head moves.
    #[must_use]
    pub fn tail(&self) -> watch::Receiver<u64> {
        self.tail.subscribe()
    }

    /// Blocks until the head is past `position`, at most so long; the head as it is then.
    #[must_use]
    pub fn wait_past(&self, position: u64, at_most: Duration) -> u64 {
        self.tail.wait_past(position, at_most)
    }

    /// Events after a position, in order, at most so many.
    pub fn events(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, LogFailure> {
        self.reads.events(after, limit)
    }

    /// All events of a stream, in order.
    pub fn stream(&self, stream: &StreamId) -> Result<Vec<Recorded>, LogFailure> {
        self.reads.stream(stream)
    }

    /// Events of an account after a place in its own sequence, in order, at most so many.
    pub fn account(&self, account: AccountId, after_seq: u64, limit: usize) -> Result<Vec<Recorded>, LogFailure> {
        self.reads.account(account, after_seq, limit)
    }

    /// All events of the account's `account`, `user`, `api_key` and `sending_domain` streams, in order of position: what
    /// its actor is woken from.
    pub fn account_control(&self, account: AccountId) -> Result<Vec<Recorded>, LogFailure> {
        self.reads.account_control(account)
    }

    /// Whose key this is, whatever its state.
    pub fn key(&self, hash: &KeyHash) -> Result<Option<(AccountId, KeyId)>, LogFailure> {
        self.reads.key(hash)
    }

    /// Whose sign-in address this is.
    pub fn login(&self, token: &LoginToken) -> Result<Option<(AccountId, UserId)>, LogFailure> {
        self.reads.login(token)
    }

    /// What stands against each address, in the order asked. Whether `until` has passed is the caller's to say.
    pub fn suppressed(
        &self,
        account: AccountId,
        tokens: &[AddressToken],
    ) -> Result<Vec<Option<Suppressed>>, LogFailure> {
        self.reads.suppressed(account, tokens)
    }

    /// What was answered to the call with this key, unless that has expired.
    pub fn idempotency(
        &self,
        account: AccountId,
        key_hash: &[u8; 32],
    ) -> Result<Option<IdempotencyAnswer>, LogFailure> {
        let now = self.clock.now();
        let kept = self.reads.idempotency(account, key_hash)?;
        Ok(kept.filter(|answer| answer.expires_at > now))
    }

    /// Whether the event is on record.
    pub fn event_present(&self, event: EventId) -> Result<bool, LogFailure> {
        self.reads.is_present(event)
    }

    /// All accounts, in the order of their first events.
    pub fn accounts(&self) -> Result<Vec<AccountId>, LogFailure> {
        self.reads.accounts()
    }
}
