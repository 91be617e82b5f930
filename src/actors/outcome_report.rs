//! Telling an outcome until it is on disk: it is retried by attempt id, and asks the log where nobody answered.

use std::time::Duration;

use sealpost_domain::event::StreamId;
use sealpost_domain::message::{AttemptOutcome, Attempted, Message, Phase};
use sealpost_domain::{Event, Recorded};

use super::accounts::Accounts;
use super::dispatch::Dispatch;
use super::work::{OutcomeCall, OutcomeRefused};
use crate::log::{Busy, LogFailure, OutcomeSlot};

/// Longest pause between two tries to store an outcome.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// An outcome that is to be told.
pub(super) struct Told {
    /// The message as its attempt knew it.
    pub dispatch: Dispatch,
    /// Facts of the attempt.
    pub attempted: Attempted,
    /// What came of it.
    pub outcome: AttemptOutcome,
    /// Room in the log.
    pub slot: OutcomeSlot,
}

/// Tells an outcome until the log has it, and returns the message as it stands then.
pub(super) async fn tell_until_stored(accounts: &Accounts, told: Told) -> Dispatch {
    let Told {
        mut dispatch,
        attempted,
        outcome,
        slot,
    } = told;
    let mut pause = Duration::from_millis(20);
    loop {
        let call = OutcomeCall {
            account: dispatch.account,
            message: dispatch.message,
            state: dispatch.state.clone(),
            sequence: dispatch.sequence,
            recipient: dispatch.personal_recipient(),
            attempted: attempted.clone(),
            outcome: outcome.clone(),
            slot: slot.clone(),
        };
        match accounts.outcome(call).await {
            Ok(stored) => {
                dispatch.state = stored.state;
                dispatch.sequence = stored.sequence;
                return dispatch;
            }
            Err(refused) => {
                tracing::warn!(message.id = %dispatch.message, error = %refused, "an outcome is not stored yet");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
                if reread(accounts, &mut dispatch).await && is_told(&dispatch.state, &attempted, &refused) {
                    return dispatch;
                }
            }
        }
    }
}

/// Whether the stream shows that the attempt is closed: then the outcome was stored although nobody said so.
fn is_told(state: &Message, attempted: &Attempted, refused: &OutcomeRefused) -> bool {
    match state.phase {
        Phase::InFlight { attempt_id } => attempt_id != attempted.attempt_id,
        // Waits again: told when this attempt's end is what it last recorded, or when the message says no to it.
        Phase::Queued => {
            state.last_closed == Some(attempted.attempt_id) || matches!(refused, OutcomeRefused::Message(_))
        }
        _ => true,
    }
}

/// Brings the dispatch to where its stream stands behind everything that was handed over so far, as soon as the log can
/// say so. `false` when the log closes before.
pub(super) async fn reread_behind_all(accounts: &Accounts, dispatch: &mut Dispatch) -> bool {
    let mut pause = Duration::from_millis(20);
    loop {
        match accounts.log().fence().await {
            Ok(()) if reread(accounts, dispatch).await => return true,
            Err(Busy::Closed) => return false,
            // A log that has stopped shows only after its return what of its last round is on record.
            Ok(()) | Err(_) => tokio::time::sleep(pause).await,
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Brings the dispatch to where its stream stands. `false` when the log cannot be read now.
async fn reread(accounts: &Accounts, dispatch: &mut Dispatch) -> bool {
    let (reader, stream) = (accounts.log().read(), StreamId::message(dispatch.message));
    let read = tokio::task::spawn_blocking(move || reader.stream(&stream)).await;
    let Ok(Ok(recorded)) = read else { return false };
    let (state, sequence) = fold(&recorded);
    dispatch.state = state;
    dispatch.sequence = sequence;
    true
}

/// State and sequence of a message's stream.
pub(super) fn fold(recorded: &[Recorded]) -> (Message, u64) {
    let mut state = Message::default();
    let mut sequence = 0;
    for one in recorded {
        if let Event::Message(event) = &one.event {
            state.evolve(event);
            sequence = one.sequence;
        }
    }
    (state, sequence)
}

/// Reads a message's stream. Blocks.
///
/// # Errors
/// When the log cannot be read.
pub fn read_message(
    log: &crate::log::Log,
    message: sealpost_domain::ids::MessageId,
) -> Result<(Message, u64), LogFailure> {
    Ok(fold(&log.read().stream(&StreamId::message(message))?))
}
