//! The right to send, and what came of it: both are appends with the sequence that the asker knows of.

use std::sync::Arc;
use std::time::Duration;

use actix::Context;
use sealpost_domain::account::Standing;
use sealpost_domain::address::AddressToken;
use sealpost_domain::event::StreamId;
use sealpost_domain::ids::{KeyId, MessageId};
use sealpost_domain::message::{BounceKind, Message, MessageCommand, MessageEvent, MessageRefusal, Started};
use sealpost_domain::metadata::Metadata;
use sealpost_domain::suppression::{SuppressionEvent, SuppressionReason};
use sealpost_domain::{Event, Personal, StreamType};

use super::actor::{AccountActor, tell};
use super::check::rows;
use crate::actors::grant::StartRefused;
use crate::actors::work::{Begun, Granted, OutcomeCall, OutcomeRefused, OutcomeStored, Reply, StartCall};
use crate::log::{Append, AppendFailure, Expected, Lane, OnConflict, Row};

/// How long a change of the suppression list is kept here besides the log's index: longer than any call is under way.
const SUPPRESSION_KEPT: Duration = Duration::from_secs(60);

impl AccountActor {
    /// Gives the right to send when key, account and message allow it. `DeliveryStarted` is durable when it is given;
    /// where the stream has moved on, nothing is stored and nothing may be sent.
    pub(super) fn start_attempt(
        &mut self,
        call: StartCall,
        reply: Reply<Result<Granted, StartRefused>>,
        ctx: &mut Context<Self>,
    ) {
        let StartCall {
            message,
            mut state,
            sequence,
            started,
            ..
        } = call;
        let Some(order) = state.order.clone() else {
            return tell(reply, Err(StartRefused::Conflict));
        };
        if let Some(no) = self.forbids_start(&order.key) {
            return self.answer(reply, Err(no));
        }
        let attempt_id = started.attempt_id;
        let events = match start_events(message, &mut state, started) {
            Ok(events) => events,
            Err(no) => return tell(reply, Err(no)),
        };
        let rows = self.message_rows(message, sequence, &state, &events, Personal::Erased);
        let append = Append {
            lane: Lane::Start,
            generation: Some(self.generation.clone()),
            rows,
            idempotency: None,
            on_conflict: OnConflict::Answer,
        };
        let Ok(flight) = self.append(append) else {
            return tell(reply, Err(StartRefused::Unavailable));
        };
        let begun = Begun {
            message,
            attempt: attempt_id,
        };
        self.open.insert(attempt_id, (order.key, begun));
        let actor = actix::AsyncContext::address(ctx);
        Self::when_durable(ctx, flight, move |stored| match stored {
            Ok(appended) => {
                let sequence = appended.sequences.last().copied().unwrap_or(sequence);
                tell(reply, Ok(Granted { state, sequence }));
            }
            Err(failure) => {
                tracing::debug!(message.id = %message, sequence, error = %failure, "an attempt is not on record");
                actor.do_send(Closed(attempt_id));
                let no = match failure {
                    AppendFailure::Conflict { .. } => StartRefused::Conflict,
                    _ => StartRefused::Unavailable,
                };
                tell(reply, Err(no));
            }
        });
    }

    fn forbids_start(&self, key: &KeyId) -> Option<StartRefused> {
        if self.hot.account.state.standing == Standing::Suspended {
            return Some(StartRefused::Suspended);
        }
        self.is_frozen(key).then_some(StartRefused::KeyFrozen)
    }

    /// Stores an outcome, and with a hard bounce the suppression of the address.
    pub(super) fn record_outcome(
        &mut self,
        call: OutcomeCall,
        reply: Reply<Result<OutcomeStored, OutcomeRefused>>,
        ctx: &mut Context<Self>,
    ) {
        let OutcomeCall {
            message,
            mut state,
            sequence,
            recipient,
            attempted,
            outcome,
            slot,
            ..
        } = call;
        let attempt_id = attempted.attempt_id;
        let command = MessageCommand::RecordOutcome {
            attempted: Box::new(attempted),
            outcome,
            retry: self.ports.destinations.retry_policy(),
            in_doubt: self.hot.account.state.in_doubt,
        };
        let events = match state.decide(command) {
            Ok(events) => events,
            Err(no) => return tell(reply, Err(no.into())),
        };
        for event in &events {
            state.evolve(event);
        }
        let rows = self.message_rows(message, sequence, &state, &events, recipient);
        let append = Append {
            lane: Lane::Outcome(slot),
            generation: Some(self.generation.clone()),
            rows,
            idempotency: None,
            on_conflict: OnConflict::Answer,
        };
        let Ok(flight) = self.append(append) else {
            return tell(reply, Err(OutcomeRefused::Unavailable));
        };
        self.open.remove(&attempt_id);
        if let Some(token) = suppresses(&state, &events) {
            let now = self.now();
            self.suppressed.retain(|(at, _, _)| now.since(*at) < SUPPRESSION_KEPT);
            self.suppressed
                .push_back((now, token, Some(SuppressionReason::HardBounce)));
        }
        let sequence = sequence.saturating_add(u64::try_from(events.len()).unwrap_or(u64::MAX));
        Self::when_durable(ctx, flight, move |stored| match stored {
            Ok(_) => tell(reply, Ok(OutcomeStored { state, sequence })),
            Err(AppendFailure::Conflict { .. }) => tell(reply, Err(OutcomeRefused::Conflict)),
            Err(_) => tell(reply, Err(OutcomeRefused::Unavailable)),
        });
    }

    /// The rows of a message's events, with the suppression that a hard bounce brings.
    fn message_rows(
        &self,
        message: MessageId,
        sequence: u64,
        state: &Message,
        events: &[MessageEvent],
        recipient: Personal<String>,
    ) -> Vec<Row> {
        let metadata = self.system_metadata();
        let any: Vec<Event> = events.iter().cloned().map(Event::from).collect();
        let mut rows = rows(&StreamId::message(message), sequence, self.account, &any, &metadata);
        if let Some(token) = suppresses(state, events) {
            rows.push(self.suppression_row(&token, recipient, &metadata));
        }
        for row in &mut rows {
            row.recipient_key = state.order.as_ref().map(|order| order.recipient_key);
        }
        rows
    }

    fn suppression_row(&self, token: &AddressToken, address: Personal<String>, metadata: &Arc<Metadata>) -> Row {
        Row {
            stream: StreamId::within(StreamType::Suppression, self.account, token.as_str()),
            expected: Expected::Next,
            account: Some(self.account),
            recipient_key: None,
            event_id: crate::actors::draw_event_id(),
            event: Event::Suppression(SuppressionEvent::AddressSuppressed {
                token: token.clone(),
                address,
                reason: SuppressionReason::HardBounce,
                until: None,
            }),
            metadata: metadata.clone(),
        }
    }

    fn system_metadata(&self) -> Arc<Metadata> {
        Arc::new(Metadata::system(Some(self.account), &self.ports.node))
    }
}

/// What the message decides of a start, with its state taken on.
fn start_events(message: MessageId, state: &mut Message, started: Started) -> Result<Vec<MessageEvent>, StartRefused> {
    let events = state
        .decide(MessageCommand::StartAttempt(Box::new(started)))
        .map_err(|no| {
            tracing::debug!(message.id = %message, reason = %no, "the message does not allow an attempt");
            match no {
                MessageRefusal::Expired => StartRefused::Expired,
                _ => StartRefused::Conflict,
            }
        })?;
    for event in &events {
        state.evolve(event);
    }
    Ok(events)
}

/// The token of the address that these events suppress.
fn suppresses(state: &Message, events: &[MessageEvent]) -> Option<AddressToken> {
    let hard = events.iter().any(|event| {
        matches!(
            event,
            MessageEvent::MessageBounced {
                kind: BounceKind::Hard,
                ..
            }
        )
    });
    state
        .order
        .as_ref()
        .filter(|_| hard)
        .map(|order| order.address_token.clone())
}

/// An attempt that did not begin after all.
#[derive(Debug, actix::Message)]
#[rtype(result = "()")]
struct Closed(sealpost_domain::ids::AttemptId);

impl actix::Handler<Closed> for AccountActor {
    type Result = ();

    fn handle(&mut self, Closed(attempt): Closed, _ctx: &mut Self::Context) {
        self.open.remove(&attempt);
    }
}
