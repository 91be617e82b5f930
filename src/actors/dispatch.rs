//! A message on its way: what the queue holds between an accept and its last outcome.

use sealpost_domain::address::{DomainName, Mailbox};
use sealpost_domain::ids::{AccountId, AttemptId, MessageId};
use sealpost_domain::message::Message;
use sealpost_domain::{Instant, Personal};

use super::attempt::Job;

/// A message that waits for an attempt, or is in one. Carries its stream's state and sequence, so that nobody loads the
/// stream to ask for the right to send.
#[derive(Debug, Clone)]
pub struct Dispatch {
    /// The message.
    pub message: MessageId,
    /// Whose it is.
    pub account: AccountId,
    /// The envelope's forward-path.
    pub recipient: Mailbox,
    /// The envelope's reverse-path.
    pub reverse_path: Mailbox,
    /// State of the stream.
    pub state: Message,
    /// Events of the stream so far.
    pub sequence: u64,
}

impl Dispatch {
    /// The recipient's domain.
    #[must_use]
    pub fn domain(&self) -> DomainName {
        self.recipient.domain()
    }

    /// When the next attempt is due; at once when the state names no time.
    #[must_use]
    pub fn due_at(&self) -> Instant {
        self.state.due_at.unwrap_or(Instant::from_millis(0))
    }

    /// The job of an attempt; `None` for a message that was never accepted.
    #[must_use]
    pub fn job(&self, attempt_id: AttemptId) -> Option<Job> {
        Some(Job {
            attempt_id,
            message: self.message,
            account: self.account,
            recipient: self.recipient.clone(),
            reverse_path: self.reverse_path.clone(),
            order: self.state.order.clone()?,
        })
    }

    /// The recipient's address as an event carries it.
    #[must_use]
    pub fn personal_recipient(&self) -> Personal<String> {
        Personal::Known(self.recipient.as_str().to_owned())
    }
}
