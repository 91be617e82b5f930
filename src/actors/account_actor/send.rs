//! A call that sends: each recipient is accepted or rejected on the hot state, all of them in one atomic unit.

use std::collections::BTreeMap;

use actix::Context;
use sealpost_domain::event::StreamId;
use sealpost_domain::ids::DataKeyId;
use sealpost_domain::message::{Accepted, Message, MessageCommand, MessageEvent, RejectReason, Rejected};
use sealpost_domain::suppression::SuppressionReason;
use sealpost_domain::{Event, Instant, Personal};

use super::actor::{AccountActor, admission, tell};
use crate::actors::answer_text::write_answers;
use crate::actors::dispatch::Dispatch;
use crate::actors::own_share::OwnShare;
use crate::actors::work::{Admission, Deliverable, RecipientKind, Reply, SendAnswer, SendCall, SendRecipient, Verdict};
use crate::log::{Append, Expected, IdempotencyRow, Lane, OnConflict, Row};

/// What one recipient of a call comes to.
struct Decided {
    answer: SendAnswer,
    row: Row,
    dispatch: Option<Dispatch>,
}

impl AccountActor {
    /// Admits the call on the hot key state, decides each recipient, and answers when all of it is durable. Only then
    /// does anything go on its way.
    pub(super) fn send(
        &mut self,
        mut call: SendCall,
        reply: Reply<Result<Vec<SendAnswer>, Admission>>,
        ctx: &mut Context<Self>,
    ) {
        match self.admit(&call.claim) {
            Ok(_) => {}
            // Revoked while its body came in: a use of a revoked key, as any other.
            Err(Admission::Refused(refusal)) => return self.refuse(call.claim, refusal, reply, ctx),
            Err(no) => return self.answer(reply, Err(no)),
        }
        let held = self.is_frozen(&call.claim.key);
        let refusal = self.refusal_of_sender(&call);
        let now = self.now();
        let recipients = std::mem::take(&mut call.recipients);
        let mut decided = Vec::with_capacity(recipients.len());
        let mut turned_away = BTreeMap::new();
        for recipient in recipients {
            let original = recipient.own.copy_of.and_then(|original| turned_away.get(&original));
            let refusal = refusal.or(original.copied());
            match self.decide_recipient(&call, recipient, refusal, held, now) {
                Ok(one) => {
                    if let Verdict::Rejected(reason) = one.answer.verdict {
                        turned_away.insert(one.answer.message, reason);
                    }
                    decided.push(one);
                }
                Err(no) => return self.answer(reply, Err(no)),
            }
        }
        let mut answers = Vec::with_capacity(decided.len());
        let mut rows = Vec::with_capacity(decided.len());
        let mut dispatches = Vec::with_capacity(decided.len());
        for one in decided {
            answers.push(one.answer);
            rows.push(one.row);
            dispatches.extend(one.dispatch);
        }
        // The row keeps what a repeat is to be told, and that is known only here.
        let idempotency = call.idempotency.take().map(|row| IdempotencyRow {
            answer: write_answers(&answers),
            ..row
        });
        let append = Append {
            lane: Lane::NewMail,
            generation: Some(self.generation.clone()),
            rows,
            idempotency,
            on_conflict: OnConflict::Answer,
        };
        match self.append(append) {
            Ok(flight) => {
                let destinations = self.ports.destinations.clone();
                Self::when_durable(ctx, flight, move |stored| match stored {
                    Ok(_) => {
                        tell(reply, Ok(answers));
                        destinations.dispatch(dispatches);
                    }
                    Err(failure) => tell(reply, Err(admission(failure))),
                });
            }
            Err(no) => self.answer(reply, Err(no)),
        }
    }

    /// What forbids the header From, for all recipients alike.
    fn refusal_of_sender(&self, call: &SendCall) -> Option<RejectReason> {
        let from = &call.header_from;
        let limits = self.hot.keys.get(&call.claim.key).map(|key| &key.stream.state.limits);
        if limits.is_some_and(|limits| !limits.admit_from(from)) {
            return Some(RejectReason::KeyLimit);
        }
        let signs = self
            .hot
            .domains
            .get(&from.domain())
            .is_some_and(|domain| domain.state.can_sign());
        (!signs).then_some(RejectReason::Unsigned)
    }

    fn decide_recipient(
        &self,
        call: &SendCall,
        recipient: SendRecipient,
        refusal: Option<RejectReason>,
        held: bool,
        now: Instant,
    ) -> Result<Decided, Admission> {
        let SendRecipient {
            message,
            given,
            kind,
            own,
        } = recipient;
        let deliverable = match kind {
            RecipientKind::Invalid(_) => Err(RejectReason::InvalidRecipient),
            RecipientKind::Deliverable(deliverable) => {
                match refusal.or_else(|| self.refusal_of(call, &deliverable, now)) {
                    Some(reason) => Err(reason),
                    None => Ok(deliverable),
                }
            }
        };
        let (command, recipient_key, verdict, paths) = match deliverable {
            Ok(deliverable) => {
                let paths = (deliverable.mailbox.clone(), deliverable.reverse_path.clone());
                let key = deliverable.recipient_key;
                let verdict = if held { Verdict::Held } else { Verdict::Accepted };
                (
                    MessageCommand::Accept(Box::new(accepted(call, *deliverable, own, now))),
                    Some(key),
                    verdict,
                    Some(paths),
                )
            }
            Err(reason) => {
                let rejected = rejected(call, &given, own, reason, now);
                (
                    MessageCommand::Reject(Box::new(rejected)),
                    None,
                    Verdict::Rejected(reason),
                    None,
                )
            }
        };
        let (state, event) = begin(command)?;
        let dispatch = paths.filter(|_| !held).map(|(recipient, reverse_path)| Dispatch {
            message,
            account: self.account,
            recipient,
            reverse_path,
            state,
            sequence: 1,
            refused_starts: 0,
        });
        let row = self.row(message, recipient_key, Event::Message(event), call);
        Ok(Decided {
            answer: SendAnswer {
                message,
                given,
                verdict,
            },
            row,
            dispatch,
        })
    }

    fn row(
        &self,
        message: sealpost_domain::ids::MessageId,
        recipient_key: Option<DataKeyId>,
        event: Event,
        call: &SendCall,
    ) -> Row {
        Row {
            stream: StreamId::message(message),
            expected: Expected::Sequence(0),
            account: Some(self.account),
            recipient_key,
            event_id: crate::actors::draw_event_id(),
            event,
            metadata: call.claim.metadata.clone(),
        }
    }

    fn refusal_of(&self, call: &SendCall, deliverable: &Deliverable, now: Instant) -> Option<RejectReason> {
        let limits = self.hot.keys.get(&call.claim.key).map(|key| &key.stream.state.limits);
        if limits.is_some_and(|limits| !limits.admit_recipient(&deliverable.mailbox.domain())) {
            return Some(RejectReason::KeyLimit);
        }
        let recent = self.suppressed.reason(&deliverable.token, now);
        let reason = recent.or(deliverable.suppressed)?;
        Some(match reason {
            SuppressionReason::HardBounce => RejectReason::HardBounce,
            SuppressionReason::Complaint => RejectReason::Complaint,
            SuppressionReason::Unsubscribed => RejectReason::Unsubscribed,
            SuppressionReason::Manual => RejectReason::Suppressed,
        })
    }
}

/// The first event of a message, and the message after it.
fn begin(command: MessageCommand) -> Result<(Message, MessageEvent), Admission> {
    let mut state = Message::default();
    let event = state
        .decide(command)?
        .into_iter()
        .next()
        .ok_or(Admission::Unavailable)?;
    state.evolve(&event);
    Ok((state, event))
}

fn accepted(call: &SendCall, deliverable: Deliverable, own: OwnShare, now: Instant) -> Accepted {
    let mut metadata = call.user_metadata.clone();
    metadata.extend(own.metadata);
    Accepted {
        key: call.claim.key,
        method: call.claim.method.clone(),
        recipient_domain: deliverable.mailbox.domain(),
        recipient: Personal::Known(deliverable.mailbox.as_str().to_owned()),
        address_token: deliverable.token,
        recipient_key: deliverable.recipient_key,
        reverse_path: Personal::Known(deliverable.reverse_path.as_str().to_owned()),
        header_from: Personal::Known(call.header_from.as_str().to_owned()),
        from_domain: call.header_from.domain(),
        subject: Personal::Known(own.subject.unwrap_or_else(|| call.subject.clone())),
        tags: Personal::Known(call.tags.clone()),
        metadata: Personal::Known(metadata),
        subaccount: call.subaccount.clone().map(Personal::Known),
        tracking: call.tracking,
        message_id_header: deliverable.message_id_header,
        content: deliverable.content,
        tls_required: call.tls_required,
        accepted_at: now,
        expires_at: call.expires_at,
    }
}

fn rejected(call: &SendCall, given: &str, own: OwnShare, reason: RejectReason, now: Instant) -> Rejected {
    Rejected {
        key: call.claim.key,
        recipient: Personal::Known(given.to_owned()),
        header_from: Personal::Known(call.header_from.as_str().to_owned()),
        subject: Personal::Known(own.subject.unwrap_or_else(|| call.subject.clone())),
        tags: Personal::Known(call.tags.clone()),
        reason,
        rejected_at: now,
    }
}
