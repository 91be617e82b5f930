//! A message in a worker's hand: whatever happens to the worker, the message's outcome is told and its queue learns.

use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use sealpost_domain::Instant;
use sealpost_domain::ids::{AttemptId, MessageId};
use sealpost_domain::message::{
    AttemptOutcome, Attempted, DeferralReason, HoldReason, InDoubtCause, MessageCommand, NotStartedReason, Phase,
    Reached, Timings,
};
use sealpost_domain::metadata::{Actor, Metadata};
use sealpost_domain::shard::ParkedActor;
use sealpost_domain::tls_rule::{TlsRecord, TlsWant};

use super::attempt::{OpenFailed, Report, Reuse, Session, level_of};
use super::destination_actor::{DestinationActor, Finished, Next};
use super::destinations::Begin;
use super::dispatch::Dispatch;
use super::draw_attempt_id;
use super::grant::{Grant, StartRefused};
use super::outcome_report::{Told, reread_behind_all, tell_until_stored};
use super::parked::record_parked;
use super::route::RoutePlan;
use super::throttle::Sign;
use super::work::{Manage, ManageMessage};
use crate::log::{LogState, OutcomeSlot};

/// How often a worker looks whether a log that has stopped is back.
const LOG_LOOK_EVERY: Duration = Duration::from_millis(250);
/// How often it looks before it gives the message back.
const LOG_LOOKS: u32 = 20;
/// Delay before a message is offered again that was given back because the log has stopped.
const AGAIN_AFTER_STOP: Duration = Duration::from_secs(1);

/// A message in a worker's hand. When it is dropped before it was settled, the worker panicked: an open attempt is then
/// declared in doubt, and the message goes back to its queue.
pub(super) struct InHand {
    message: MessageId,
    grant: Option<Grant>,
    attempt_id: AttemptId,
    slot: Option<OutcomeSlot>,
    destination: Addr<DestinationActor>,
    begun: Arc<Begin>,
    _counted: Arc<()>,
}

impl InHand {
    pub(super) fn new(dispatch: Dispatch, destination: Addr<DestinationActor>, begun: Arc<Begin>) -> Self {
        Self {
            message: dispatch.message,
            grant: Some(Grant::new(begun.accounts.clone(), dispatch)),
            attempt_id: draw_attempt_id(),
            slot: None,
            destination,
            _counted: begun.hands.clone(),
            begun,
        }
    }

    /// The dispatch and its queue, when nobody took the message after all; `None` when it is settled.
    pub(super) fn give_back(mut self) -> Option<(Dispatch, Addr<DestinationActor>)> {
        let grant = self.grant.take()?;
        Some((grant.dispatch().clone(), self.destination.clone()))
    }

    /// The message itself once the log takes what comes of it: a log that has stopped gives nobody the right to send, and
    /// no server is to be asked for nothing. `None` when the message went back to its queue.
    pub(super) async fn with_log(mut self) -> Option<Self> {
        for _ in 0..LOG_LOOKS {
            if self.begun.accounts.log().state() != LogState::Stopped {
                return Some(self);
            }
            tokio::time::sleep(LOG_LOOK_EVERY).await;
        }
        if let Some(mut dispatch) = self.grant.as_ref().map(|grant| grant.dispatch().clone()) {
            dispatch.wait_until(self.begun.accounts.now().plus(AGAIN_AFTER_STOP));
            self.settle(Next::Again(Box::new(dispatch)));
        }
        None
    }

    /// The message itself with what it wants of a session now. `None` when its account does not answer, or may not send:
    /// the message waits then, and no host has heard of it.
    pub(super) async fn wanting(self, plan: &RoutePlan) -> Option<(Self, TlsWant)> {
        let accounts = self.begun.accounts.clone();
        let dispatch = self.grant.as_ref()?.dispatch();
        match accounts.tls_of(dispatch.account).await {
            Ok(tls) => {
                let want = dispatch.want(tls, plan.tls.level(), accounts.now());
                Some((self, want))
            }
            Err(refused) => {
                self.not_granted(refused);
                None
            }
        }
    }

    /// Hands the message over in this session and sees to what comes of it. Says whether the session may carry another,
    /// and what the end of this one says of the site.
    pub(super) async fn deliver(mut self, session: &mut dyn Session, want: TlsWant) -> (Reuse, Sign) {
        let Some(job) = self
            .grant
            .as_ref()
            .and_then(|grant| grant.dispatch().job(self.attempt_id, want))
        else {
            self.settle(Next::Forget);
            return (Reuse::Keep, Sign::None);
        };
        // Room for the outcome comes before the intent: what has begun can always be put on record.
        if !self.reserve().await {
            self.settle(Next::Forget);
            return (Reuse::Close, Sign::None);
        }
        let Some(grant) = self.grant.as_mut() else {
            return (Reuse::Keep, Sign::None);
        };
        let tls_record = TlsRecord {
            wanted: want.need,
            reached: Some(level_of(session)),
            failures: session.passed_over().to_vec(),
            clear: session.clear(),
        };
        let (report, reuse) = session.deliver(&job, grant).await;
        let mut sign = Sign::None;
        match report {
            Report::Ended {
                outcome,
                reached,
                timings,
            } => {
                let attempted = Attempted {
                    attempt_id: self.attempt_id,
                    host: Some(session.host().to_owned()),
                    peer: Some(session.peer()),
                    tls: session.tls(),
                    tls_record: Some(tls_record),
                    reached,
                    timings,
                    ended_at: self.begun.accounts.now(),
                };
                sign = Sign::of(&outcome);
                self.conclude(attempted, outcome);
            }
            Report::NotGranted(refused) => self.not_granted(refused),
        }
        (reuse, sign)
    }

    /// Sees to a message for which no session could be opened.
    pub(super) async fn could_not_open(mut self, failed: OpenFailed) {
        if !self.reserve().await {
            return self.settle(Next::Forget);
        }
        let timings = Timings {
            connect_ms: failed.connect_ms,
            transact_ms: 0,
        };
        let attempted = Attempted {
            host: failed.host,
            peer: failed.peer,
            tls: failed.tls,
            tls_record: failed.tls_record,
            timings,
            ..nothing_reached(self.attempt_id, self.begun.accounts.now())
        };
        self.conclude(attempted, failed.outcome);
    }

    /// Takes room for the outcome; `false` when the log closes, and the message waits in the spool for the next start.
    async fn reserve(&mut self) -> bool {
        self.slot = self.begun.accounts.log().outcome_slot().await;
        self.slot.is_some()
    }

    fn not_granted(mut self, refused: StartRefused) {
        tracing::debug!(message.id = %self.message, reason = %refused, "the right to send was not given");
        match refused {
            StartRefused::Conflict => self.settle(Next::Forget),
            // Those of a frozen key, or of a suspended or parked account, stand in the spool until they are let go.
            StartRefused::KeyFrozen | StartRefused::Suspended | StartRefused::Parked => {
                let dispatch = self.grant.as_ref().map(|grant| Box::new(grant.dispatch().clone()));
                self.settle(dispatch.map_or(Next::Forget, Next::Rest));
            }
            StartRefused::Expired => {
                let attempted = nothing_reached(self.attempt_id, self.begun.accounts.now());
                let outcome = AttemptOutcome::Deferred {
                    reason: DeferralReason::Expired,
                    reply: None,
                };
                self.conclude(attempted, outcome);
            }
            // The demand was raised while the session was being opened: the next attempt walks by it.
            StartRefused::TlsUnmet => {
                let attempted = nothing_reached(self.attempt_id, self.begun.accounts.now());
                let outcome = AttemptOutcome::Deferred {
                    reason: DeferralReason::TlsNotOffered,
                    reply: None,
                };
                self.conclude(attempted, outcome);
            }
            StartRefused::Unavailable => {
                let runtime = self.begun.runtime.clone();
                runtime.spawn(self.settle_lost_start());
            }
        }
    }

    /// Nothing was sent, and nobody knows whether the start is on record: the stream says so. One that is there is ended
    /// by this attempt, which alone knows that it sent nothing; later it could only be declared in doubt.
    async fn settle_lost_start(mut self) {
        let Some(mut dispatch) = self.grant.as_ref().map(|grant| grant.dispatch().clone()) else {
            return;
        };
        let accounts = self.begun.accounts.clone();
        if !reread_behind_all(&accounts, &mut dispatch).await {
            return self.settle(Next::Forget);
        }
        let attempt_id = self.attempt_id;
        if dispatch.state.phase == (Phase::InFlight { attempt_id }) {
            let Some(slot) = self.slot.take() else { return };
            let told = Told {
                dispatch,
                attempted: nothing_reached(attempt_id, accounts.now()),
                outcome: AttemptOutcome::NotStarted(NotStartedReason::StartUnconfirmed),
                slot,
            };
            dispatch = tell_until_stored(&accounts, told).await;
        }
        let next = match following(dispatch) {
            Next::Again(mut dispatch) => {
                dispatch.put_off(accounts.now());
                Next::Again(dispatch)
            }
            other => other,
        };
        self.settle(next);
    }

    /// Tells the outcome in a task of its own: neither the worker nor its session waits for the log.
    fn conclude(self, attempted: Attempted, outcome: AttemptOutcome) {
        let runtime = self.begun.runtime.clone();
        runtime.spawn(self.tell(attempted, outcome));
    }

    /// Tells the outcome until it is on disk, then what follows.
    async fn tell(mut self, attempted: Attempted, outcome: AttemptOutcome) {
        let (Some(grant), Some(slot)) = (&self.grant, self.slot.take()) else {
            return;
        };
        let dispatch = grant.dispatch().clone();
        let told = Told {
            dispatch,
            attempted,
            outcome,
            slot,
        };
        let accounts = self.begun.accounts.clone();
        let dispatch = tell_until_stored(&accounts, told).await;
        let next = following(dispatch);
        self.settle(next);
    }

    fn settle(&mut self, next: Next) {
        self.grant = None;
        self.destination.do_send(Finished {
            message: self.message,
            next,
        });
    }
}

/// Only a message that waits goes back to its queue.
fn following(dispatch: Dispatch) -> Next {
    match dispatch.state.phase {
        Phase::Queued => Next::Again(Box::new(dispatch)),
        _ => Next::Forget,
    }
}

fn nothing_reached(attempt_id: AttemptId, ended_at: Instant) -> Attempted {
    Attempted {
        attempt_id,
        host: None,
        peer: None,
        tls: None,
        tls_record: None,
        reached: Reached::BeforeData,
        timings: Timings::default(),
        ended_at,
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        let Some(grant) = self.grant.take() else { return };
        let (accounts, destination) = (self.begun.accounts.clone(), self.destination.clone());
        let (message, attempt_id, slot) = (self.message, self.attempt_id, self.slot.take());
        let counted = self.begun.hands.clone();
        self.begun.runtime.spawn(async move {
            let _counted = counted;
            let mut dispatch = grant.dispatch().clone();
            if grant.is_given() {
                // Given only with room in the log, so there is a slot; without one the next start sees to it.
                let Some(slot) = slot else { return };
                let attempted = Attempted {
                    reached: Reached::Data,
                    ..nothing_reached(attempt_id, accounts.now())
                };
                let outcome = AttemptOutcome::InDoubt(InDoubtCause::AttemptPanicked);
                let told = Told {
                    dispatch,
                    attempted,
                    outcome,
                    slot,
                };
                dispatch = tell_until_stored(&accounts, told).await;
            } else {
                dispatch.put_off(accounts.now());
            }
            let next = match following(dispatch) {
                Next::Again(dispatch) => Next::Panicked(dispatch),
                other => other,
            };
            destination.do_send(Finished { message, next });
        });
    }
}

/// Holds a message whose attempts panic again and again, and puts that on record. Where it cannot be held now, it comes
/// back from the spool, and is held when it panics again.
pub(super) async fn hold_after_panics(begun: Arc<Begin>, dispatch: Dispatch) {
    let hold = ManageMessage {
        message: dispatch.message,
        state: dispatch.state.clone(),
        sequence: dispatch.sequence,
        command: MessageCommand::Hold {
            reason: HoldReason::AttemptsPanicked,
            by: Actor::System,
        },
    };
    let metadata = Arc::new(Metadata::system(Some(dispatch.account), &begun.node));
    let held = begun
        .accounts
        .manage(dispatch.account, metadata, Manage::Message(Box::new(hold)))
        .await;
    if let Err(no) = held {
        return tracing::error!(message.id = %dispatch.message, error = %no, "a message could not be held");
    }
    tracing::error!(message.id = %dispatch.message, "a message is held: its attempts panic");
    let panics = u32::try_from(sealpost_domain::limits::PANICS_UNTIL_PARKED).unwrap_or(u32::MAX);
    let actor = ParkedActor::Message(dispatch.message);
    record_parked(begun.accounts.log(), &begun.node, actor, panics).await;
}
