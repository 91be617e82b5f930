//! The boundary to the database: what the writer and the readers need of it, and nothing that is SQLite's own.

use sealpost_domain::address::AddressToken;
use sealpost_domain::ids::{AccountId, EventId, KeyId, UserId};
use sealpost_domain::rights::KeyHash;
use sealpost_domain::suppression::SuppressionReason;
use sealpost_domain::user::LoginToken;
use sealpost_domain::{Instant, Recorded, StreamId};

use std::sync::Arc;

use super::append::IdempotencyAnswer;
use super::failure::LogFailure;
use super::index::IndexChange;
use super::round::Round;

/// The end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The last position; 0 in an empty log.
    pub position: u64,
    /// The last epoch; 0 in an empty log.
    pub epoch: u64,
    /// When the last event was recorded.
    pub recorded_at: Instant,
}

/// How much the writer has to do besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// Requests wait: only what cannot wait itself.
    Busy,
    /// A round is done and nothing waits.
    Quiet,
    /// Nothing has come for a second.
    Idle,
}

/// The writer's side of a store: one at a time per log.
pub trait Store: Send {
    /// Opens the store, also after a failure: drops whatever it held in memory, makes durable what it finds, and reads
    /// the end of the log anew.
    ///
    /// # Errors
    /// The store cannot be opened or written.
    fn begin(&mut self) -> Result<Head, LogFailure>;

    /// How many events the stream has.
    ///
    /// # Errors
    /// The store did not answer.
    fn stream_head(&mut self, stream: &StreamId) -> Result<u64, LogFailure>;

    /// How many events the account has.
    ///
    /// # Errors
    /// The store did not answer.
    fn account_head(&mut self, account: AccountId) -> Result<u64, LogFailure>;

    /// Whether the name that this change takes is taken already.
    ///
    /// # Errors
    /// The store did not answer.
    fn is_taken(&mut self, change: &IndexChange) -> Result<bool, LogFailure>;

    /// What is kept for this key, expired or not.
    ///
    /// # Errors
    /// The store did not answer.
    fn idempotency(&mut self, account: AccountId, key_hash: &[u8; 32])
    -> Result<Option<IdempotencyAnswer>, LogFailure>;

    /// Whether the event is on record.
    ///
    /// # Errors
    /// The store did not answer.
    fn is_present(&mut self, event: EventId) -> Result<bool, LogFailure>;

    /// Records the round as one transaction that is on disk when this returns.
    ///
    /// # Errors
    /// [`LogFailure::Refused`] when a row breaks a rule of the store and nothing of the round is there; with every other
    /// failure it is unknown what is there until [`Store::begin`].
    fn commit(&mut self, round: &Round) -> Result<(), LogFailure>;

    /// Housekeeping: checkpoints, expired idempotency rows.
    ///
    /// # Errors
    /// It did not succeed and is tried again later; nothing of the log is in danger.
    fn tend(&mut self, load: Load, now: Instant) -> Result<(), LogFailure>;

    /// Bytes that are free where the store lies; `None` when nobody can tell.
    fn free_bytes(&self) -> Option<u64>;

    /// The readers' side.
    fn reads(&self) -> Arc<dyn Reads>;
}

/// The readers' side of a store: any number at a time, blocking, only what is durable. Personal fields come as stored.
#[expect(
    clippy::missing_errors_doc,
    reason = "each fails alike: the store did not answer, or a row is not in its form"
)]
pub trait Reads: Send + Sync {
    /// Events after a position, in order, at most so many.
    fn events(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, LogFailure>;
    /// All events of a stream.
    fn stream(&self, stream: &StreamId) -> Result<Vec<Recorded>, LogFailure>;
    /// Events of an account after a place in its own sequence, at most so many.
    fn account(&self, account: AccountId, after_seq: u64, limit: usize) -> Result<Vec<Recorded>, LogFailure>;
    /// All events of the account's `account`, `user`, `api_key` and `sending_domain` streams, in order of position.
    fn account_control(&self, account: AccountId) -> Result<Vec<Recorded>, LogFailure>;
    /// Whose key this is.
    fn key(&self, hash: &KeyHash) -> Result<Option<(AccountId, KeyId)>, LogFailure>;
    /// Whose sign-in address this is.
    fn login(&self, token: &LoginToken) -> Result<Option<(AccountId, UserId)>, LogFailure>;
    /// What stands against each address, in the order asked; whether `until` has passed is the caller's to say.
    fn suppressed(&self, account: AccountId, tokens: &[AddressToken]) -> Result<Vec<Option<Suppressed>>, LogFailure>;
    /// What is kept for this key, expired or not.
    fn idempotency(&self, account: AccountId, key_hash: &[u8; 32]) -> Result<Option<IdempotencyAnswer>, LogFailure>;
    /// Whether the event is on record.
    fn is_present(&self, event: EventId) -> Result<bool, LogFailure>;
    /// All accounts, in the order of their first events.
    fn accounts(&self) -> Result<Vec<AccountId>, LogFailure>;
}

/// Why an address is suppressed, and until when; `None` is for ever.
pub type Suppressed = (SuppressionReason, Option<Instant>);
