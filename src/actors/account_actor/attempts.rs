//! The right to send, and what came of it: both are appends with the sequence that the asker knows of.

use std::sync::Arc;

use actix::Context;
use sealpost_domain::account::Standing;
use sealpost_domain::ids::{KeyId, MessageId};
use sealpost_domain::message::{Message, MessageCommand, MessageEvent, MessageRefusal, Started, TlsLevel};
use sealpost_domain::metadata::Metadata;
use sealpost_domain::suppression::SuppressionReason;

use super::actor::{AccountActor, tell};
use crate::actors::grant::StartRefused;
use crate::actors::outcome_rows::{OutcomeBasis, OutcomeDecision, decide_outcome, message_rows, stored};
use crate::actors::work::{Begun, Granted, OutcomeCall, OutcomeRefused, OutcomeStored, Reply, StartCall};
use crate::log::{Append, AppendFailure, Lane, OnConflict};

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
        if let Some(no) = self
            .forbids_start(&order.key)
            .or_else(|| self.forbids_session(&started))
        {
            return self.answer(reply, Err(no));
        }
        let attempt = started.attempt_id;
        let events = match start_events(message, &mut state, started) {
            Ok(events) => events,
            Err(no) => return tell(reply, Err(no)),
        };
        let metadata = Arc::new(Metadata::system(Some(self.account), &self.ports.node));
        let append = Append {
            lane: Lane::Start,
            generation: Some(self.generation.clone()),
            rows: message_rows(self.account, message, sequence, &state, &events, &metadata),
            idempotency: None,
            on_conflict: OnConflict::Answer,
        };
        let attempts = self.attempts.clone();
        // Before the log knows of it: whoever freezes the key from here on names it.
        attempts.begin(order.key, Begun { message, attempt });
        let Ok(flight) = self.append(append) else {
            attempts.close(attempt);
            return tell(reply, Err(StartRefused::Unavailable));
        };
        Self::when_durable(ctx, flight, move |answer| match answer {
            Ok(appended) => {
                let sequence = appended.sequences.last().copied().unwrap_or(sequence);
                tell(reply, Ok(Granted { state, sequence }));
            }
            Err(failure) => {
                tracing::debug!(message.id = %message, sequence, error = %failure, "an attempt is not on record");
                attempts.close(attempt);
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

    /// The account may have changed its mind while the session was being opened.
    fn forbids_session(&self, started: &Started) -> Option<StartRefused> {
        let reached = started.tls.as_ref().map_or(TlsLevel::Plain, |tls| tls.level);
        (reached < self.hot.account.state.tls.least()).then_some(StartRefused::TlsUnmet)
    }

    /// Stores an outcome, and with a hard bounce the suppression of the address.
    pub(super) fn record_outcome(
        &mut self,
        call: OutcomeCall,
        reply: Reply<Result<OutcomeStored, OutcomeRefused>>,
        ctx: &mut Context<Self>,
    ) {
        let (attempt, attempts) = (call.attempted.attempt_id, self.attempts.clone());
        let basis = OutcomeBasis {
            retry: self.ports.destinations.retry_policy(),
            in_doubt: self.hot.account.state.in_doubt,
            node: &self.ports.node,
            generation: Some(self.generation.clone()),
        };
        let OutcomeDecision {
            append,
            after,
            suppresses,
        } = match decide_outcome(call, basis) {
            Ok(decision) => decision,
            Err(no) => {
                // An outcome is refused when its attempt is closed already.
                attempts.close(attempt);
                return tell(reply, Err(no.into()));
            }
        };
        let suppresses = suppresses.map(|token| (token, self.now()));
        let Ok(flight) = self.append(append) else {
            return tell(reply, Err(OutcomeRefused::Unavailable));
        };
        let suppressed = self.suppressed.clone();
        Self::when_durable(ctx, flight, move |answer| {
            let told = stored(answer, after);
            // Only now: a call is never turned away for what is not on disk.
            if let (Ok(_), Some((token, now))) = (&told, suppresses) {
                suppressed.insert(token, SuppressionReason::HardBounce, now);
            }
            if matches!(told, Ok(_) | Err(OutcomeRefused::Conflict)) {
                attempts.close(attempt);
            }
            tell(reply, told);
        });
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
                MessageRefusal::TlsUnmet | MessageRefusal::ClearTooEarly => StartRefused::TlsUnmet,
                _ => StartRefused::Conflict,
            }
        })?;
    for event in &events {
        state.evolve(event);
    }
    Ok(events)
}
