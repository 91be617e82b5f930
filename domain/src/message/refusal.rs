//! Every "no" of a message.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a command on a message is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum MessageRefusal {
    /// The stream has begun already.
    #[error("the message exists already")]
    AlreadyExists,
    /// The stream has not begun.
    #[error("there is no such message")]
    Unknown,
    /// It was delivered, bounced, rejected or discarded.
    #[error("the message has its last outcome")]
    Finished,
    /// It is held.
    #[error("the message is held")]
    Held,
    /// It is not held.
    #[error("the message is not held")]
    NotHeld,
    /// An attempt is open.
    #[error("an attempt of the message is open")]
    AttemptOpen,
    /// The outcome belongs to no open attempt.
    #[error("the attempt is not open")]
    AttemptNotOpen,
    /// Its time is over; it bounces at its next turn.
    #[error("the message has expired")]
    Expired,
    /// The session gives less TLS than the message demands.
    #[error("the session gives less TLS than the message demands")]
    TlsUnmet,
    /// TLS failed, and the message has not waited long enough to go in clear text for that.
    #[error("the message may not go in clear text yet")]
    ClearTooEarly,
}
