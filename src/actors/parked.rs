//! What is parked, and what is still answered for it: its questions with "not now", its outcomes by storing them.

use std::sync::Arc;

use sealpost_domain::event::StreamId;
use sealpost_domain::message::{InDoubtPolicy, RetryPolicy};
use sealpost_domain::metadata::Metadata;
use sealpost_domain::shard::{ParkedActor, ShardEvent};
use sealpost_domain::{Event, StreamType};

use super::draw_event_id;
use super::grant::StartRefused;
use super::open_attempts::OpenAttempts;
use super::outcome_rows::{OutcomeBasis, decide_outcome, stored};
use super::work::{Admission, OutcomeCall, OutcomeRefused, OutcomeStored, Reply, Work};
use crate::log::{Append, Expected, Lane, Log, OnConflict, Row};

/// Puts the parking of an actor on record. Best effort: the log may be what fails.
pub(super) async fn record_parked(log: &Log, node: &str, actor: ParkedActor, panics: u32) {
    let append = Append {
        lane: Lane::Security,
        generation: None,
        rows: vec![Row {
            stream: StreamId::new(StreamType::Shard, 0),
            expected: Expected::Next,
            account: None,
            recipient_key: None,
            event_id: draw_event_id(),
            event: Event::Shard(ShardEvent::ActorParked { actor, panics }),
            metadata: Arc::new(Metadata::system(None, node)),
        }],
        idempotency: None,
        on_conflict: OnConflict::Answer,
    };
    match log.try_append(append) {
        Ok(ticket) => {
            if let Err(failure) = ticket.await {
                tracing::error!(error = %failure, "the parking of an actor is not on record");
            }
        }
        Err(busy) => tracing::error!(error = %busy, "the parking of an actor is not on record"),
    }
}

/// Answers what is asked of a parked account.
pub(super) fn answer(work: Work, log: &Log, node: &str, retry: RetryPolicy, attempts: OpenAttempts) {
    match work {
        Work::Check(_, reply) => tell(reply, Err(Admission::Parked)),
        Work::Send(_, reply) => tell(reply, Err(Admission::Parked)),
        Work::Manage(_, _, reply) => tell(reply, Err(Admission::Parked)),
        Work::Start(_, reply) => tell(reply, Err(StartRefused::Parked)),
        Work::Outcome(call, reply) => store_outcome(*call, reply, log, node, retry, attempts),
    }
}

/// Stores the outcome of an attempt that had begun. Otherwise its worker would tell it for ever, and the connection that
/// it keeps would be lost to all other accounts.
fn store_outcome(
    call: OutcomeCall,
    reply: Reply<Result<OutcomeStored, OutcomeRefused>>,
    log: &Log,
    node: &str,
    retry: RetryPolicy,
    attempts: OpenAttempts,
) {
    let attempt = call.attempted.attempt_id;
    let basis = OutcomeBasis {
        retry,
        // What the account chose stands in the state that cannot be built: holding is what can be undone.
        in_doubt: InDoubtPolicy::Hold,
        node,
        generation: None,
    };
    let decision = match decide_outcome(call, basis) {
        Ok(decision) => decision,
        Err(no) => {
            attempts.close(attempt);
            return tell(reply, Err(no.into()));
        }
    };
    match log.try_append(decision.append) {
        Ok(ticket) => {
            actix::spawn(async move {
                let told = stored(ticket.await, decision.after);
                if matches!(told, Ok(_) | Err(OutcomeRefused::Conflict)) {
                    attempts.close(attempt);
                }
                tell(reply, told);
            });
        }
        Err(busy) => {
            tracing::warn!(error = %busy, "the outcome of a parked account's attempt waits");
            tell(reply, Err(OutcomeRefused::Unavailable));
        }
    }
}

fn tell<T>(reply: Reply<T>, answer: T) {
    if reply.send(answer).is_err() {
        tracing::debug!("nobody waits for the answer of a parked account");
    }
}
