//! What was seen from outside and what stands in the log, in the terms of the verdict.

use std::collections::{BTreeMap, BTreeSet};

use sealpost_domain::Event;
use sealpost_domain::ids::{AccountId, AttemptId, MessageId};
use sealpost_domain::message::{InDoubtCause, MessageEvent};

/// A message that a caller was told is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// The id in the answer.
    pub message: MessageId,
    /// Its recipient; each is used once.
    pub recipient: String,
}

/// A message that a receiver took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its Message-ID with the angle brackets.
    pub message_id_header: String,
    /// Its recipient.
    pub recipient: String,
}

/// One end of the program that it did not choose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kill {
    /// Attempts without an outcome in the log that the end left behind.
    pub open: BTreeMap<AttemptId, MessageId>,
    /// Connections to receivers that were open then.
    pub connections: usize,
}

/// What of an event matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// Accepted for delivery.
    Accepted {
        message: MessageId,
        message_id_header: String,
    },
    /// An attempt has begun.
    Started { message: MessageId, attempt: AttemptId },
    /// An attempt has ended.
    Ended { attempt: AttemptId },
    /// An attempt was declared in doubt because the program had ended.
    DoubtedAfterEnd { message: MessageId, attempt: AttemptId },
    /// Kept from going out.
    Held { message: MessageId },
    /// Free to go again.
    Released { message: MessageId },
    /// Delivered, bounced or thrown away.
    Finished {
        message: MessageId,
        attempt: Option<AttemptId>,
    },
    /// Anything else.
    Other,
}

impl Fact {
    /// Reads an event of a stream.
    pub fn of(stream_id: &str, event: &Event) -> Self {
        let Event::Message(event) = event else {
            return Self::Other;
        };
        let message = stream_id.parse().unwrap();
        match event {
            MessageEvent::MessageAccepted(accepted) => Self::Accepted {
                message,
                message_id_header: accepted.message_id_header.clone(),
            },
            MessageEvent::DeliveryStarted(started) => Self::Started {
                message,
                attempt: started.attempt_id,
            },
            MessageEvent::DeliveryNotStarted { attempt_id, .. } => Self::Ended { attempt: *attempt_id },
            MessageEvent::DeliveryDeferred { attempted, .. } => Self::Ended {
                attempt: attempted.attempt_id,
            },
            MessageEvent::DeliveryInDoubt {
                attempt_id,
                cause: InDoubtCause::ProcessEnded,
                ..
            } => Self::DoubtedAfterEnd {
                message,
                attempt: *attempt_id,
            },
            MessageEvent::DeliveryInDoubt { attempt_id, .. } => Self::Ended { attempt: *attempt_id },
            MessageEvent::MessageDelivered { attempted, .. } | MessageEvent::MessageBounced { attempted, .. } => {
                Self::Finished {
                    message,
                    attempt: Some(attempted.attempt_id),
                }
            }
            MessageEvent::MessageDiscarded { .. } | MessageEvent::MessageRejected(_) => {
                Self::Finished { message, attempt: None }
            }
            MessageEvent::MessageHeld { .. } => Self::Held { message },
            MessageEvent::MessageReleased { .. } => Self::Released { message },
        }
    }
}

/// An event's places, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Place in the shard.
    pub position: u64,
    /// The account and the place in its own sequence.
    pub account: Option<(AccountId, u64)>,
    /// Whether its leaf covers what is stored.
    pub leaf_fits: bool,
    /// What it says.
    pub fact: Fact,
}

/// Attempts that have begun and not ended, by what the log says.
pub fn open_attempts(log: &[Seen]) -> BTreeMap<AttemptId, MessageId> {
    let mut open = BTreeMap::new();
    for seen in log {
        match &seen.fact {
            Fact::Started { message, attempt } => drop(open.insert(*attempt, *message)),
            Fact::Ended { attempt }
            | Fact::DoubtedAfterEnd { attempt, .. }
            | Fact::Finished {
                attempt: Some(attempt), ..
            } => drop(open.remove(attempt)),
            _ => {}
        }
    }
    open
}

/// Messages that were accepted and have not come to an end, by what the log says.
pub fn unfinished(log: &[Seen]) -> Vec<MessageId> {
    let mut waiting = BTreeMap::new();
    for seen in log {
        match &seen.fact {
            Fact::Accepted { message, .. } => drop(waiting.insert(*message, ())),
            Fact::Finished { message, .. } => drop(waiting.remove(message)),
            _ => {}
        }
    }
    waiting.into_keys().collect()
}

/// Messages that are kept back, by what the log says.
pub fn held(log: &[Seen]) -> BTreeSet<MessageId> {
    let mut held = BTreeSet::new();
    for seen in log {
        match &seen.fact {
            Fact::Held { message } => held.extend([*message]),
            Fact::Released { message } | Fact::Finished { message, .. } => held.retain(|one| one != message),
            _ => {}
        }
    }
    held
}

/// All that the verdict is made on.
#[derive(Debug, Clone, Default)]
pub struct Story {
    /// What callers were told.
    pub acknowledged: Vec<Acknowledged>,
    /// What receivers took, in order.
    pub taken: Vec<Taken>,
    /// Ends of the program that it did not choose.
    pub kills: Vec<Kill>,
    /// The log at the end, by position.
    pub log: Vec<Seen>,
}
