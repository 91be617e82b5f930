//! What is asked of the log, and what it answers: rows, lanes, outcomes of an append.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use thiserror::Error;
use tokio::sync::oneshot;

use sealpost_domain::ids::{AccountId, DataKeyId, EventId};
use sealpost_domain::metadata::Metadata;
use sealpost_domain::{Event, Instant, StreamId};

use super::generation::Generation;
use super::slots::OutcomeSlot;

/// How many events the caller believes to be in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// So many, so that this event's sequence is one more.
    Sequence(u64),
    /// As many as there are: nothing was decided on the stream's state.
    Next,
}

/// One event to record.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its stream.
    pub stream: StreamId,
    /// What the caller decided on.
    pub expected: Expected,
    /// The account whose sequence it joins; `None` for the streams of the system (`gate`, `shard`) and only there.
    pub account: Option<AccountId>,
    /// The key of the recipient whom the event concerns, where it concerns one.
    pub recipient_key: Option<DataKeyId>,
    /// The event's id, drawn by the caller.
    pub event_id: EventId,
    /// What happened. Its personal fields are sealed by the writer.
    pub event: Event,
    /// Who, from where, in which request; shared by the rows of a call.
    pub metadata: Arc<Metadata>,
}

/// Which room in the channel a request takes.
#[derive(Debug, Clone)]
pub enum Lane {
    /// New mail: bounded, and stopped by a disk that runs full.
    NewMail,
    /// `DeliveryStarted`. The caller holds an [`OutcomeSlot`] for what will follow.
    Start,
    /// What came of an attempt. The slot is free again when the request is answered and the caller holds no clone of it:
    /// keep one until the answer is good, since an outcome is retried until it is stored.
    Outcome(OutcomeSlot),
    /// Revocations, freezes, refusals, everything that a person does.
    Security,
}

/// What a conflict means to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// Something was speculated on it: the generation is poisoned.
    FailGeneration,
    /// It is an answer like any other.
    Answer,
}

/// What the log keeps of a call that may be repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRow {
    /// Whose call.
    pub account: AccountId,
    /// SHA-256 of the caller's key.
    pub key_hash: [u8; 32],
    /// SHA-256 of what was asked.
    pub digest: [u8; 32],
    /// The answer as JSON: ids and statuses, no addresses.
    pub answer: String,
    /// From when on the key is free again.
    pub expires_at: Instant,
}

/// What was answered to the first call with this key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyAnswer {
    /// SHA-256 of what was asked.
    pub digest: [u8; 32],
    /// The answer as JSON.
    pub answer: String,
    /// From when on the key is free again.
    pub expires_at: Instant,
}

/// One atomic request: all of its rows are recorded, or none.
#[derive(Debug, Clone)]
pub struct Append {
    /// Its room in the channel.
    pub lane: Lane,
    /// The state that it was decided on; `None` when it stands for itself.
    pub generation: Option<Generation>,
    /// The events, in order; 1 to `ROUND_ROWS_MAX`.
    pub rows: Vec<Row>,
    /// What is kept for a repeat of the call.
    pub idempotency: Option<IdempotencyRow>,
    /// What a conflict means.
    pub on_conflict: OnConflict,
}

/// Where a request was recorded. Its rows stand side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Position of the first row.
    pub first_position: u64,
    /// Position of the last row.
    pub last_position: u64,
    /// The sequence of each row in its stream.
    pub sequences: Vec<u64>,
    /// When; never falls from one position to the next.
    pub recorded_at: Instant,
}

/// Why nothing of a request is on record.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AppendFailure {
    /// The stream is not as the caller believed, or its key or login is taken.
    #[error("stream {} {} holds other events than expected", stream.stream_type.as_str(), stream.id)]
    Conflict {
        /// Which stream.
        stream: StreamId,
    },
    /// An earlier request of this generation failed, so what this one was decided on may be wrong.
    #[error("the request was decided on state that did not come true")]
    StaleGeneration,
    /// The same call is on record: this was its answer.
    #[error("the same call is on record already")]
    IdempotencyRepeat(IdempotencyAnswer),
    /// The same key came with another call.
    #[error("the idempotency key is on record with another call")]
    IdempotencyMismatch,
    /// A data key is gone: retry after drawing it anew.
    #[error("a data key of the request is missing")]
    KeyMissing,
    /// The disk is full.
    #[error("the disk is full")]
    DiskFull,
    /// The log has stopped after a failed write, or could not tell in time what became of the request.
    #[error("the log has stopped")]
    Unavailable,
    /// The request breaks a rule of this interface: a bug of the caller.
    #[error("the request is malformed: {0}")]
    Malformed(&'static str),
}

/// Why a request is not even taken. Nothing of it will be on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Busy {
    /// Its lane is full: try again in a second.
    #[error("the log's queue is full")]
    QueueFull,
    /// New mail is refused until the disk has room again.
    #[error("the disk is nearly full")]
    DiskMark,
    /// The log has stopped after a failed write and tries to come back.
    #[error("the log has stopped")]
    Stopped,
    /// The log is closed.
    #[error("the log is closed")]
    Closed,
}

/// The answer to a request, when it is there. Dropping it does not withdraw the request.
#[derive(Debug)]
pub struct Ticket {
    answer: oneshot::Receiver<Result<Appended, AppendFailure>>,
}

impl Ticket {
    /// A ticket and the end that answers it.
    pub(super) fn new() -> (Reply, Self) {
        let (reply, answer) = oneshot::channel();
        (Reply(reply), Self { answer })
    }

    /// Waits for the answer on a thread that may block.
    ///
    /// # Errors
    /// As [`AppendFailure`] says.
    pub fn wait(self) -> Result<Appended, AppendFailure> {
        self.answer.blocking_recv().unwrap_or(Err(AppendFailure::Unavailable))
    }
}

impl Future for Ticket {
    type Output = Result<Appended, AppendFailure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answer)
            .poll(context)
            // The writer drops a reply only when it ends in a way that it should not.
            .map(|answer| answer.unwrap_or(Err(AppendFailure::Unavailable)))
    }
}

/// Ready when everything that was handed over before it is answered. Dropping it changes nothing.
#[derive(Debug)]
pub struct Fence {
    passed: Result<Ticket, Busy>,
}

impl Fence {
    /// A fence that stands where its request stands, or that could not be put up.
    pub(super) const fn new(passed: Result<Ticket, Busy>) -> Self {
        Self { passed }
    }

    /// Waits for it on a thread that may block.
    ///
    /// # Errors
    /// [`Busy::Stopped`] when the log stopped meanwhile, so that something may still be in doubt; [`Busy::Closed`].
    pub fn wait(self) -> Result<(), Busy> {
        self.passed?.wait().map(drop).map_err(|_| Busy::Stopped)
    }
}

impl Future for Fence {
    type Output = Result<(), Busy>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.passed {
            Ok(ticket) => Pin::new(ticket)
                .poll(context)
                .map(|answer| answer.map(drop).map_err(|_| Busy::Stopped)),
            Err(busy) => Poll::Ready(Err(*busy)),
        }
    }
}

/// The end of a ticket that the writer holds.
#[derive(Debug)]
pub(super) struct Reply(oneshot::Sender<Result<Appended, AppendFailure>>);

impl Reply {
    /// Answers. Nobody may be waiting any more, which is no fault.
    pub(super) fn send(self, answer: Result<Appended, AppendFailure>) {
        drop(self.0.send(answer));
    }
}
