//! What is parked, and what is still answered for it: its questions with "not now", its outcomes by storing them.

use std::sync::Arc;
use std::time::Duration;

use sealpost_domain::event::StreamId;
use sealpost_domain::ids::AccountId;
use sealpost_domain::limits::PANICS_FORGOTTEN_MINUTES;
use sealpost_domain::message::{InDoubtPolicy, RetryPolicy};
use sealpost_domain::metadata::Metadata;
use sealpost_domain::shard::{ParkedActor, ShardEvent};
use sealpost_domain::{Event, Instant, StreamType};

use super::draw_event_id;
use super::grant::StartRefused;
use super::open_attempts::OpenAttempts;
use super::outcome_rows::{OutcomeBasis, decide_outcome, stored};
use super::reports::ReportRefused;
use super::work::{Admission, OutcomeCall, OutcomeRefused, OutcomeStored, Reply, Work};
use crate::log::{Append, Expected, Lane, Log, OnConflict, Row};

/// How long an actor must not have panicked for its earlier panics to be forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(PANICS_FORGOTTEN_MINUTES);

/// The panics of an actor that are not forgotten.
#[derive(Debug, Default)]
pub(super) struct RecentPanics {
    count: u32,
    last: Option<Instant>,
}

impl RecentPanics {
    /// Counts one more, and says how many it are.
    pub(super) fn add(&mut self, now: Instant) -> u32 {
        if self.last.is_none_or(|last| last.plus(FORGOTTEN_AFTER) <= now) {
            self.count = 0;
        }
        self.last = Some(now);
        self.count = self.count.saturating_add(1);
        self.count
    }
}

/// Puts the parking of an actor on record. Best effort: the log may be what fails.
pub(super) async fn record_parked(log: &Log, node: &str, actor: ParkedActor, panics: u32) {
    let event = ShardEvent::ActorParked { actor, panics };
    if record(log, event, Metadata::system(None, node)).await.is_err() {
        tracing::error!("the parking of an actor is not on record");
    }
}

/// Puts on record that a parked account is let go; its position.
///
/// # Errors
/// What kept the log from it; then nobody knows whether it is on record.
pub(super) async fn record_unparked(log: &Log, account: AccountId, metadata: Metadata) -> Result<u64, Admission> {
    let actor = ParkedActor::Account(account);
    record(log, ShardEvent::ActorUnparked { actor }, metadata).await
}

async fn record(log: &Log, event: ShardEvent, metadata: Metadata) -> Result<u64, Admission> {
    let append = Append {
        lane: Lane::Security,
        generation: None,
        rows: vec![Row {
            stream: StreamId::new(StreamType::Shard, 0),
            expected: Expected::Next,
            account: None,
            recipient_key: None,
            event_id: draw_event_id(),
            event: Event::Shard(event),
            metadata: Arc::new(metadata),
        }],
        idempotency: None,
        on_conflict: OnConflict::Answer,
    };
    let ticket = log.try_append(append).map_err(|busy| {
        tracing::warn!(error = %busy, "an event of the shard is not on record");
        Admission::Busy
    })?;
    let appended = ticket.await.map_err(|failure| {
        tracing::warn!(error = %failure, "an event of the shard is not on record");
        Admission::Unavailable
    })?;
    Ok(appended.last_position)
}

/// Answers what is asked of a parked account.
pub(super) fn answer(work: Work, log: &Log, node: &str, retry: RetryPolicy, attempts: OpenAttempts) {
    match work {
        Work::Check(_, reply) => tell(reply, Err(Admission::Parked)),
        Work::Send(_, reply) => tell(reply, Err(Admission::Parked)),
        Work::Manage(_, _, reply) => tell(reply, Err(Admission::Parked)),
        Work::TlsChoice(reply) => tell(reply, Err(StartRefused::Parked)),
        Work::Start(_, reply) => tell(reply, Err(StartRefused::Parked)),
        Work::Report(_, reply) => tell(reply, Err(ReportRefused::Unavailable)),
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

/// Sends an answer; whoever asked may have gone.
pub(super) fn tell<T>(reply: Reply<T>, answer: T) {
    if reply.send(answer).is_err() {
        tracing::debug!("nobody waits for the answer of a parked account");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_are_forgotten_after_a_quiet_hour_and_not_before() {
        let mut panics = RecentPanics::default();
        let mut now = Instant::from_millis(1);
        assert_eq!(panics.add(now), 1);
        now = now.plus(FORGOTTEN_AFTER.checked_sub(Duration::from_millis(1)).unwrap());
        assert_eq!(panics.add(now), 2);
        now = now.plus(FORGOTTEN_AFTER);
        assert_eq!([panics.add(now), panics.add(now)], [1, 2]);
    }
}
