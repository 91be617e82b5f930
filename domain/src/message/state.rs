//! The state of a message and its decisions.

use serde::{Deserialize, Serialize};

use crate::address::{AddressToken, DomainName};
use crate::aggregate::aggregate;
use crate::content::ContentRef;
use crate::ids::{AttemptId, DataKeyId, KeyId};
use crate::instant::Instant;
use crate::tls_rule::{ClearReason, MailAge, deferral_status};

use super::outcome::{AttemptOutcome, DeferralReason, InDoubtPolicy, Reached, Reply, TlsLevel};
use super::outcome_rules::{Judged, OutcomeClass, asked_wait_s, class_of_reason, judge};
use super::{
    Accepted, Attempted, BounceKind, InDoubtCause, MessageCommand, MessageEvent, MessageRefusal, NotStartedReason,
    Resolution, RetryPolicy, Started,
};

/// Where a message stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Not begun.
    #[default]
    New,
    /// Waits for its next attempt.
    Queued,
    /// Kept back.
    Held,
    /// An attempt is open.
    InFlight {
        /// The attempt.
        attempt_id: AttemptId,
    },
    /// The remote server took it.
    Delivered,
    /// It will not arrive.
    Bounced,
    /// Turned away.
    Rejected,
    /// Thrown away.
    Discarded,
}

/// What the open message needs at each attempt; nothing of it is personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The key that sent it.
    pub key: KeyId,
    /// Domain of the recipient's address.
    pub recipient_domain: DomainName,
    /// Token of the recipient's address.
    pub address_token: AddressToken,
    /// The recipient's data key.
    pub recipient_key: DataKeyId,
    /// Domain that signs.
    pub from_domain: DomainName,
    /// Where the content lies.
    pub content: ContentRef,
    /// Least protection that the message demands.
    pub tls_required: TlsLevel,
    /// When it was accepted.
    pub accepted_at: Instant,
    /// When it bounces if nobody took it.
    pub expires_at: Instant,
}

/// A message to one recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Where it stands.
    pub phase: Phase,
    /// Deferrals and doubts so far: the place in the retry schedule.
    pub deferrals: u32,
    /// When the next attempt is due once it is queued; kept through a hold. `None` before the accept and at the end.
    pub due_at: Option<Instant>,
    /// The attempt whose outcome was recorded last: when it is told again, it is refused and not counted twice.
    pub last_closed: Option<AttemptId>,
    /// Class of what last kept it from arriving: what it is said to have died of when its time is over.
    #[serde(default)]
    pub last_class: Option<OutcomeClass>,
    /// What was accepted; `None` before, and for a rejected one.
    pub order: Option<Order>,
}

impl Message {
    /// Decides; pure.
    ///
    /// # Errors
    /// As [`MessageRefusal`] says.
    pub fn decide(&self, command: MessageCommand) -> Result<Vec<MessageEvent>, MessageRefusal> {
        match command {
            MessageCommand::Accept(accept) => self.begin(MessageEvent::MessageAccepted(accept)),
            MessageCommand::Reject(reject) => self.begin(MessageEvent::MessageRejected(reject)),
            MessageCommand::Hold { reason, by } => {
                self.must_be_idle()?;
                Ok(vec![MessageEvent::MessageHeld { reason, by }])
            }
            MessageCommand::Release { by } => match self.phase {
                Phase::Held => Ok(vec![MessageEvent::MessageReleased { by }]),
                Phase::Queued | Phase::InFlight { .. } => Err(MessageRefusal::NotHeld),
                _ => self.must_be_idle().map(|()| Vec::new()),
            },
            MessageCommand::Discard { by } => match self.phase {
                Phase::Held => Ok(vec![MessageEvent::MessageDiscarded { by }]),
                _ => self
                    .must_be_idle()
                    .map(|()| vec![MessageEvent::MessageDiscarded { by }]),
            },
            MessageCommand::StartAttempt(started) => self.start(*started),
            MessageCommand::RecordOutcome {
                attempted,
                outcome,
                retry,
                in_doubt,
            } => self.record(*attempted, outcome, &retry, in_doubt),
            MessageCommand::DeclareInDoubt {
                attempt_id,
                cause,
                at,
                retry,
                in_doubt,
            } => match self.phase {
                Phase::InFlight { attempt_id: open } if open == attempt_id => {
                    Ok(vec![self.doubt(attempt_id, cause, at, &retry, in_doubt)])
                }
                _ => Err(MessageRefusal::AttemptNotOpen),
            },
        }
    }

    fn begin(&self, event: MessageEvent) -> Result<Vec<MessageEvent>, MessageRefusal> {
        match self.phase {
            Phase::New => Ok(vec![event]),
            _ => Err(MessageRefusal::AlreadyExists),
        }
    }

    fn must_be_idle(&self) -> Result<(), MessageRefusal> {
        match self.phase {
            Phase::New => Err(MessageRefusal::Unknown),
            Phase::Queued => Ok(()),
            Phase::Held => Err(MessageRefusal::Held),
            Phase::InFlight { .. } => Err(MessageRefusal::AttemptOpen),
            Phase::Delivered | Phase::Bounced | Phase::Rejected | Phase::Discarded => Err(MessageRefusal::Finished),
        }
    }

    fn start(&self, started: Started) -> Result<Vec<MessageEvent>, MessageRefusal> {
        self.must_be_idle()?;
        if self
            .order
            .as_ref()
            .is_some_and(|order| started.started_at >= order.expires_at)
        {
            return Err(MessageRefusal::Expired);
        }
        self.must_be_protected(&started)?;
        let attempt = self.deferrals.saturating_add(1);
        Ok(vec![MessageEvent::DeliveryStarted(Box::new(Started {
            attempt,
            ..started
        }))])
    }

    /// The last check before the right to send, whatever the walk over the hosts made of the rule.
    fn must_be_protected(&self, started: &Started) -> Result<(), MessageRefusal> {
        let Some(order) = &self.order else { return Ok(()) };
        let reached = started.tls.as_ref().map_or(TlsLevel::Plain, |tls| tls.level);
        if reached < order.tls_required {
            return Err(MessageRefusal::TlsUnmet);
        }
        let needs_age = started.clear.is_some_and(ClearReason::is_of_aged_mail);
        if needs_age && MailAge::of(order.accepted_at, started.started_at, self.deferrals) == MailAge::Young {
            return Err(MessageRefusal::ClearTooEarly);
        }
        Ok(())
    }

    fn record(
        &self,
        attempted: Attempted,
        outcome: AttemptOutcome,
        retry: &RetryPolicy,
        in_doubt: InDoubtPolicy,
    ) -> Result<Vec<MessageEvent>, MessageRefusal> {
        let open = match self.phase {
            Phase::InFlight { attempt_id } if attempt_id == attempted.attempt_id => true,
            Phase::InFlight { .. } => return Err(MessageRefusal::AttemptNotOpen),
            _ => {
                self.must_be_idle()?;
                if self.last_closed == Some(attempted.attempt_id) {
                    return Err(MessageRefusal::AttemptNotOpen);
                }
                false
            }
        };
        let attempt_id = attempted.attempt_id;
        let mut events = Vec::with_capacity(2);
        let turned_away = matches!(
            outcome,
            AttemptOutcome::Deferred { .. } | AttemptOutcome::Bounced { .. }
        );
        if open && attempted.reached == Reached::BeforeData && turned_away {
            let reason = NotStartedReason::RecipientRefused;
            events.push(MessageEvent::DeliveryNotStarted { attempt_id, reason });
        }
        match outcome {
            // Only an open attempt can have been accepted, lost, or not begun after all.
            AttemptOutcome::Delivered(_) | AttemptOutcome::InDoubt(_) | AttemptOutcome::NotStarted(_) if !open => {
                return Err(MessageRefusal::AttemptNotOpen);
            }
            AttemptOutcome::Delivered(reply) => events.push(MessageEvent::MessageDelivered { attempted, reply }),
            AttemptOutcome::NotStarted(reason) => events.push(MessageEvent::DeliveryNotStarted { attempt_id, reason }),
            AttemptOutcome::InDoubt(cause) => {
                events.push(self.doubt(attempt_id, cause, attempted.ended_at, retry, in_doubt));
            }
            AttemptOutcome::Bounced { kind, judged, reply } => {
                events.push(MessageEvent::MessageBounced {
                    attempted,
                    kind,
                    reply: Some(reply),
                    judged: Some(judged),
                });
            }
            AttemptOutcome::Deferred { reason, reply } => events.push(self.defer(attempted, reason, reply, retry)),
        }
        Ok(events)
    }

    /// A deferral, or a bounce when the message would have expired before its next turn.
    fn defer(
        &self,
        attempted: Attempted,
        reason: DeferralReason,
        reply: Option<Reply>,
        retry: &RetryPolicy,
    ) -> MessageEvent {
        let deferrals = self.deferrals.saturating_add(1);
        let (attempt_id, ended_at) = (attempted.attempt_id, attempted.ended_at);
        let judged = match (deferral_status(reason), &reply) {
            // Whatever the server says of it: what keeps the message is that TLS is not to be had.
            (Some(status), _) => Judged {
                status: Some(status),
                ..Judged::plainly(OutcomeClass::Tls)
            },
            (None, Some(reply)) => judge(reply, None).judged,
            (None, None) => Judged::plainly(class_of_reason(reason)),
        };
        let next_attempt_at = match (judged.class, &reply) {
            (OutcomeClass::Greylisted, Some(reply)) => {
                let asked_s = reply.text.known().and_then(|text| asked_wait_s(text));
                retry.next_attempt_asked_at(deferrals, asked_s, attempt_id, ended_at)
            }
            _ => retry.next_attempt_at(deferrals, attempt_id, ended_at),
        };
        let expires_at = self.order.as_ref().map(|order| order.expires_at);
        if expires_at.is_some_and(|expires_at| next_attempt_at >= expires_at) {
            let said_now = (judged.class != OutcomeClass::Expired).then_some(judged.class);
            return MessageEvent::MessageBounced {
                attempted,
                kind: BounceKind::Expired,
                reply,
                judged: Some(Judged::expired(said_now.or(self.last_class))),
            };
        }
        MessageEvent::DeliveryDeferred {
            attempted,
            reason,
            reply,
            next_attempt_at,
            judged: Some(judged),
        }
    }

    fn doubt(
        &self,
        attempt_id: AttemptId,
        cause: InDoubtCause,
        at: Instant,
        retry: &RetryPolicy,
        policy: InDoubtPolicy,
    ) -> MessageEvent {
        let resolution = match policy {
            InDoubtPolicy::Hold => Resolution::Hold,
            InDoubtPolicy::Resend => Resolution::Resend {
                at: retry.next_attempt_at(self.deferrals.saturating_add(1), attempt_id, at),
            },
        };
        MessageEvent::DeliveryInDoubt {
            attempt_id,
            cause,
            resolution,
        }
    }

    /// Takes an event into the state; total and pure.
    pub fn evolve(&mut self, event: &MessageEvent) {
        match event {
            MessageEvent::MessageAccepted(accepted) => {
                self.order = Some(order(accepted));
                self.queue(Some(accepted.accepted_at));
            }
            MessageEvent::MessageRejected(_) => self.finish(Phase::Rejected),
            MessageEvent::MessageHeld { .. } => self.phase = Phase::Held,
            MessageEvent::MessageReleased { .. } => self.phase = Phase::Queued,
            MessageEvent::MessageDiscarded { .. } => self.finish(Phase::Discarded),
            MessageEvent::DeliveryStarted(started) => {
                self.phase = Phase::InFlight {
                    attempt_id: started.attempt_id,
                };
                self.due_at = Some(started.started_at);
            }
            // Due at once, since its start is past, and no step on in the schedule: nothing was tried.
            MessageEvent::DeliveryNotStarted { .. } => self.phase = Phase::Queued,
            MessageEvent::DeliveryDeferred {
                attempted,
                next_attempt_at,
                judged,
                ..
            } => {
                self.deferrals = self.deferrals.saturating_add(1);
                self.last_class = judged.map(|judged| judged.class).or(self.last_class);
                self.last_closed = Some(attempted.attempt_id);
                self.queue(Some(*next_attempt_at));
            }
            MessageEvent::MessageDelivered { .. } => self.finish(Phase::Delivered),
            MessageEvent::MessageBounced { .. } => self.finish(Phase::Bounced),
            MessageEvent::DeliveryInDoubt {
                attempt_id, resolution, ..
            } => {
                self.deferrals = self.deferrals.saturating_add(1);
                self.last_closed = Some(*attempt_id);
                match resolution {
                    Resolution::Resend { at } => self.queue(Some(*at)),
                    Resolution::Hold => self.phase = Phase::Held,
                }
            }
        }
    }

    fn queue(&mut self, due_at: Option<Instant>) {
        self.phase = Phase::Queued;
        self.due_at = due_at;
    }

    fn finish(&mut self, phase: Phase) {
        self.phase = phase;
        self.due_at = None;
    }

    /// Whether nothing more can happen to it.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        matches!(
            self.phase,
            Phase::Delivered | Phase::Bounced | Phase::Rejected | Phase::Discarded
        )
    }
}

fn order(accepted: &Accepted) -> Order {
    Order {
        key: accepted.key,
        recipient_domain: accepted.recipient_domain.clone(),
        address_token: accepted.address_token.clone(),
        recipient_key: accepted.recipient_key,
        from_domain: accepted.from_domain.clone(),
        content: accepted.content.clone(),
        tls_required: accepted.tls_required,
        accepted_at: accepted.accepted_at,
        expires_at: accepted.expires_at,
    }
}

aggregate!(Message, "message", MessageCommand, MessageEvent, MessageRefusal);
