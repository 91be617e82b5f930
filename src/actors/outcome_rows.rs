//! What an outcome comes to in the log: the same rows, whether the account's actor runs or is parked.

use std::sync::Arc;

use sealpost_domain::address::AddressToken;
use sealpost_domain::event::StreamId;
use sealpost_domain::ids::{AccountId, MessageId};
use sealpost_domain::message::{
    BounceKind, InDoubtPolicy, Message, MessageCommand, MessageEvent, MessageRefusal, RetryPolicy,
};
use sealpost_domain::metadata::Metadata;
use sealpost_domain::suppression::{SuppressionEvent, SuppressionReason};
use sealpost_domain::{Event, Personal, StreamType};

use super::draw_event_id;
use super::work::{OutcomeCall, OutcomeRefused, OutcomeStored};
use crate::log::{Append, AppendFailure, Appended, Expected, Generation, Lane, OnConflict, Row};

/// What an outcome is decided with.
pub(super) struct OutcomeBasis<'a> {
    /// When deferred mail is tried again.
    pub retry: RetryPolicy,
    /// What follows a doubt.
    pub in_doubt: InDoubtPolicy,
    /// Name of this node.
    pub node: &'a str,
    /// The hot state that it rests on, where there is one.
    pub generation: Option<Generation>,
}

/// An outcome that is decided and not yet stored.
pub(super) struct OutcomeDecision {
    /// What is to be stored.
    pub append: Append,
    /// State and sequence of the message after it.
    pub after: OutcomeStored,
    /// The address that it suppresses.
    pub suppresses: Option<AddressToken>,
}

/// Decides an outcome.
///
/// # Errors
/// The message says no: it is told already, or it is not open.
pub(super) fn decide_outcome(call: OutcomeCall, basis: OutcomeBasis<'_>) -> Result<OutcomeDecision, MessageRefusal> {
    let OutcomeCall {
        account,
        message,
        mut state,
        sequence,
        recipient,
        attempted,
        outcome,
        slot,
    } = call;
    let events = state.decide(MessageCommand::RecordOutcome {
        attempted: Box::new(attempted),
        outcome,
        retry: basis.retry,
        in_doubt: basis.in_doubt,
    })?;
    for event in &events {
        state.evolve(event);
    }
    let metadata = Arc::new(Metadata::system(Some(account), basis.node));
    let mut rows = message_rows(account, message, sequence, &state, &events, &metadata);
    let suppresses = suppressed_by(&state, &events);
    if let Some(token) = &suppresses {
        let key = state.order.as_ref().map(|order| order.recipient_key);
        rows.push(Row {
            recipient_key: key,
            ..suppression_row(account, token, recipient, SuppressionReason::HardBounce, &metadata)
        });
    }
    let sequence = sequence.saturating_add(u64::try_from(events.len()).unwrap_or(u64::MAX));
    Ok(OutcomeDecision {
        append: Append {
            lane: Lane::Outcome(slot),
            generation: basis.generation,
            rows,
            idempotency: None,
            on_conflict: OnConflict::Answer,
        },
        after: OutcomeStored { state, sequence },
        suppresses,
    })
}

/// What the log's answer means to whoever told the outcome.
pub(super) fn stored(
    answer: Result<Appended, AppendFailure>,
    after: OutcomeStored,
) -> Result<OutcomeStored, OutcomeRefused> {
    match answer {
        Ok(_) => Ok(after),
        Err(AppendFailure::Conflict { .. }) => Err(OutcomeRefused::Conflict),
        Err(_) => Err(OutcomeRefused::Unavailable),
    }
}

/// The rows of a message's events, each with the sequence that it is to have.
pub(super) fn message_rows(
    account: AccountId,
    message: MessageId,
    sequence: u64,
    state: &Message,
    events: &[MessageEvent],
    metadata: &Arc<Metadata>,
) -> Vec<Row> {
    events
        .iter()
        .zip(sequence..)
        .map(|(event, sequence)| Row {
            stream: StreamId::message(message),
            expected: Expected::Sequence(sequence),
            account: Some(account),
            recipient_key: state.order.as_ref().map(|order| order.recipient_key),
            event_id: draw_event_id(),
            event: Event::Message(event.clone()),
            metadata: metadata.clone(),
        })
        .collect()
}

/// The row that suppresses an address.
pub(super) fn suppression_row(
    account: AccountId,
    token: &AddressToken,
    address: Personal<String>,
    reason: SuppressionReason,
    metadata: &Arc<Metadata>,
) -> Row {
    Row {
        stream: StreamId::within(StreamType::Suppression, account, token.as_str()),
        expected: Expected::Next,
        account: Some(account),
        recipient_key: None,
        event_id: draw_event_id(),
        event: Event::Suppression(SuppressionEvent::AddressSuppressed {
            token: token.clone(),
            address,
            reason,
            until: None,
        }),
        metadata: metadata.clone(),
    }
}

/// The token of the address that these events suppress.
fn suppressed_by(state: &Message, events: &[MessageEvent]) -> Option<AddressToken> {
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
