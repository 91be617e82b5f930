//! What may be asked of a message.

use crate::ids::AttemptId;
use crate::instant::Instant;
use crate::metadata::Actor;

use super::event::{Accepted, Attempted, HoldReason, InDoubtCause, Rejected, Started};
use super::outcome::{AttemptOutcome, InDoubtPolicy};
use super::retry::RetryPolicy;

/// Accepts a message: all that the event will say.
pub type Accept = Accepted;
/// Turns a message away: all that the event will say.
pub type Reject = Rejected;

/// Asks for the right to send. `attempt` of the facts is set by the decision.
pub type StartAttempt = Started;

/// Commands on a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageCommand {
    /// Accept it for delivery.
    Accept(Box<Accept>),
    /// Turn it away.
    Reject(Box<Reject>),
    /// Keep it from going out.
    Hold {
        /// Why.
        reason: HoldReason,
        /// By whom.
        by: Actor,
    },
    /// Let it go again.
    Release {
        /// By whom.
        by: Actor,
    },
    /// Throw it away.
    Discard {
        /// By whom.
        by: Actor,
    },
    /// Ask for the right to send it now.
    StartAttempt(Box<StartAttempt>),
    /// Tell what came of an attempt.
    RecordOutcome {
        /// Facts of the attempt.
        attempted: Box<Attempted>,
        /// What came of it.
        outcome: AttemptOutcome,
        /// When to try again.
        retry: RetryPolicy,
        /// What to do when in doubt.
        in_doubt: InDoubtPolicy,
    },
    /// Say that an open attempt will never tell: the program that ran it has ended.
    DeclareInDoubt {
        /// The attempt.
        attempt_id: AttemptId,
        /// Why nobody knows.
        cause: InDoubtCause,
        /// When this is said.
        at: Instant,
        /// When to try again.
        retry: RetryPolicy,
        /// What to do now.
        in_doubt: InDoubtPolicy,
    },
}
