//! The actor itself: its state, its mailbox, and the one way by which it appends.

use std::sync::Arc;

use actix::{Actor, ActorContext, Addr, AsyncContext, Context, Handler, Message};
use sealpost_domain::ids::AccountId;
use sealpost_domain::{Event, Instant, StreamId};

use crate::actors::destinations::Destinations;
use crate::actors::durability::{Barrier, Durability, PendingAppend};
use crate::actors::hot::Hot;
use crate::actors::open_attempts::OpenAttempts;
use crate::actors::recent_refusals::RecentRefusals;
use crate::actors::recent_suppressions::RecentSuppressions;
use crate::actors::registry::{End, Ended, Registry, Route};
use crate::actors::tls_choices::TlsChoices;
use crate::actors::work::{Admission, Reply, Work};
use crate::clock::Clock;
use crate::log::{Append, AppendFailure, Appended, Busy, Generation, Log, Ticket};

/// What an account's actor reaches.
pub struct Ports {
    /// The log.
    pub log: Log,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Name of this node.
    pub node: String,
    /// Where it says that it ends.
    pub registry: Addr<Registry>,
    /// Where accepted mail goes.
    pub destinations: Destinations,
    /// Where its choice of protection is looked up.
    pub tls: TlsChoices,
}

/// Work from the registry.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Ask(pub Work);

/// An append failed: the hot state is no longer that of the log.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Poisoned;

/// Events that nothing stood on before they were durable.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Stored {
    /// Their stream.
    pub(super) stream: StreamId,
    /// The events.
    pub(super) events: Vec<Event>,
}

/// The actor of one account.
pub struct AccountActor {
    pub(super) account: AccountId,
    pub(super) hot: Hot,
    pub(super) ports: Ports,
    pub(super) generation: Generation,
    pub(super) durability: Durability,
    /// Attempts that are open; taken over from its predecessor and left to its successor.
    pub(super) attempts: OpenAttempts,
    /// Changes of the suppression list that the log's index may not show yet to a call that is under way.
    pub(super) suppressed: RecentSuppressions,
    /// Refused uses that were put on record a moment ago.
    pub(super) refusals: RecentRefusals,
    ended: bool,
}

impl AccountActor {
    /// An actor on the state that the log holds.
    #[must_use]
    pub fn new(account: AccountId, generation: Generation, hot: Hot, attempts: OpenAttempts, ports: Ports) -> Self {
        ports.tls.set(account, hot.account.state.tls);
        Self {
            account,
            hot,
            ports,
            generation,
            durability: Durability::default(),
            attempts,
            suppressed: RecentSuppressions::default(),
            refusals: RecentRefusals::default(),
            ended: false,
        }
    }

    pub(super) fn now(&self) -> Instant {
        self.ports.clock.now()
    }

    /// Takes events into the hot state that were just handed to the log: later decisions stand on them, and none is
    /// answered before they are durable.
    pub(super) fn speculate(&mut self, stream: &StreamId, events: &[Event]) {
        for event in events {
            self.hot.take(&stream.id, event);
        }
    }

    /// Hands rows to the log. `Err` when the channel is full: then nothing has happened.
    pub(super) fn append(&mut self, append: Append) -> Result<Flight, Admission> {
        let ticket = self.ports.log.try_append(append).map_err(|busy| match busy {
            Busy::QueueFull => Admission::Busy,
            Busy::DiskMark => Admission::DiskFull,
            Busy::Stopped | Busy::Closed => Admission::Unavailable,
        })?;
        Ok(Flight {
            ticket,
            pending: self.durability.begin(),
            generation: self.generation.clone(),
        })
    }

    /// Waits off the actor until the rows are durable, then goes on with `then`. A failure that leaves the hot state
    /// ahead of the log ends the actor.
    pub(super) fn when_durable<F>(ctx: &Context<Self>, flight: Flight, then: F)
    where
        F: FnOnce(Result<Appended, AppendFailure>) + 'static,
    {
        let actor = ctx.address();
        actix::spawn(async move {
            let result = flight.ticket.await;
            drop(flight.pending);
            if result.is_err() && flight.generation.is_stale() {
                actor.do_send(Poisoned);
            }
            then(result);
        });
    }

    /// Answers at once, or when everything is durable that the answer may stand on.
    pub(super) fn answer<T: 'static>(&self, reply: Reply<T>, answer: T) {
        if self.durability.is_settled() {
            tell(reply, answer);
        } else {
            answer_after(self.durability.barrier(), reply, answer);
        }
    }
}

/// Rows on their way to the disk.
pub(super) struct Flight {
    ticket: Ticket,
    pending: PendingAppend,
    generation: Generation,
}

/// Sends an answer; whoever asked may have gone.
pub(super) fn tell<T>(reply: Reply<T>, answer: T) {
    if reply.send(answer).is_err() {
        tracing::debug!("nobody waits for the answer any more");
    }
}

fn answer_after<T: 'static>(barrier: Barrier, reply: Reply<T>, answer: T) {
    actix::spawn(async move {
        barrier.passed().await;
        tell(reply, answer);
    });
}

/// What an append failure means to whoever asked.
pub(super) fn admission(failure: AppendFailure) -> Admission {
    match failure {
        AppendFailure::Conflict { .. } => Admission::MessageChanged,
        AppendFailure::IdempotencyRepeat(answer) => Admission::IdempotencyRepeat(answer),
        AppendFailure::IdempotencyMismatch => Admission::IdempotencyMismatch,
        AppendFailure::DiskFull => Admission::DiskFull,
        AppendFailure::StaleGeneration | AppendFailure::KeyMissing | AppendFailure::Unavailable => {
            Admission::Unavailable
        }
        AppendFailure::Malformed(rule) => {
            tracing::error!(rule, "a request to the log was malformed");
            Admission::Unavailable
        }
    }
}

impl Actor for AccountActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(1 << 16);
    }
}

impl Drop for AccountActor {
    /// The registry learns of every end: what it does not learn of, it would keep sending to.
    fn drop(&mut self) {
        let how = if std::thread::panicking() || !self.ended {
            End::Panicked
        } else {
            End::Reload
        };
        self.ports.registry.do_send(Ended {
            account: self.account,
            how,
        });
    }
}

impl Handler<Poisoned> for AccountActor {
    type Result = ();

    fn handle(&mut self, _: Poisoned, ctx: &mut Self::Context) {
        tracing::warn!(account.id = %self.account, "an append failed: the account is read from the log again");
        self.ended = true;
        ctx.stop();
    }
}

impl Handler<Stored> for AccountActor {
    type Result = ();

    fn handle(&mut self, Stored { stream, events }: Stored, _ctx: &mut Self::Context) {
        self.speculate(&stream, &events);
    }
}

impl Handler<Ask> for AccountActor {
    type Result = ();

    fn handle(&mut self, Ask(work): Ask, ctx: &mut Self::Context) {
        if self.generation.is_stale() {
            // The log has stopped, or refused something this state stands on: another actor answers, on what it reads.
            self.ended = true;
            ctx.stop();
            self.ports.registry.do_send(Route {
                account: self.account,
                work,
            });
            return;
        }
        match work {
            Work::Check(claim, reply) => self.check(claim, reply, ctx),
            Work::Send(call, reply) => self.send(*call, reply, ctx),
            Work::Manage(asker, manage, reply) => self.manage_for(asker, *manage, reply, ctx),
            Work::Start(call, reply) => self.start_attempt(*call, reply, ctx),
            Work::TlsChoice(reply) => self.answer(reply, Ok(self.hot.account.state.tls)),
            Work::Outcome(call, reply) => self.record_outcome(*call, reply, ctx),
            Work::Report(call, reply) => self.record_report(*call, reply, ctx),
        }
    }
}
