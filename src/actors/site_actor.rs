//! The actor of one site: the connections that all destinations behind one set of mail hosts share, as many as the site
//! bears. A dead one costs a probe at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message};
use tokio::sync::oneshot;

use super::attempt::OpenFailed;
use super::destination_actor::{DestinationActor, Finished, Next};
use super::destinations::{Begin, Halt};
use super::dispatch::Dispatch;
use super::in_hand::InHand;
use super::route::RoutePlan;
use super::throttle::{Allowed, Sign, Throttle};
use super::worker::{self, OpenSessions};

/// A message that this site may send.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Offer {
    /// The message.
    pub dispatch: Dispatch,
    /// Where it goes.
    pub plan: Arc<RoutePlan>,
    /// Whose queue it is from.
    pub destination: Addr<DestinationActor>,
}

/// A worker is free for a message; it waits at `reply`.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Free {
    /// Where the message goes.
    pub reply: oneshot::Sender<Handed>,
}

/// A message in a worker's hand, and where it goes.
pub(super) struct Handed {
    /// The message.
    pub hand: InHand,
    /// Where it goes.
    pub plan: Arc<RoutePlan>,
}

/// What a worker learned of the site.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) enum Learned {
    /// A session is open.
    Opened,
    /// None could be opened.
    NotOpened(Box<OpenFailed>),
    /// A message has come to its end.
    Ended(Sign),
}

/// A worker has ended, in whatever way.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct WorkerEnded;

/// The actor of one site.
pub(super) struct SiteActor {
    begun: Arc<Begin>,
    queue: VecDeque<Offer>,
    free: VecDeque<oneshot::Sender<Handed>>,
    workers: u64,
    /// Workers that were started and have not asked for a message yet.
    starting: u64,
    sessions: OpenSessions,
    throttle: Throttle,
    /// Why there was no session of late, for what is put off without a try.
    last_failure: Option<OpenFailed>,
    halted: bool,
}

impl SiteActor {
    pub(super) fn new(begun: Arc<Begin>) -> Self {
        Self {
            throttle: Throttle::new(begun.connections_per_site),
            begun,
            queue: VecDeque::new(),
            free: VecDeque::new(),
            workers: 0,
            starting: 0,
            sessions: OpenSessions::default(),
            last_failure: None,
            halted: false,
        }
    }

    /// Matches what waits with who is free, and starts workers while too few run and something waits, within what the site
    /// bears now.
    fn pair(&mut self, ctx: &Context<Self>) {
        self.free.retain(|reply| !reply.is_closed());
        let most = match self.throttle.allowed(self.begun.accounts.now()) {
            Allowed::Connections(most) => most,
            Allowed::Probe => 1,
            Allowed::Nothing => return self.put_off(),
        };
        while self.busy() < most
            && !self.free.is_empty()
            && let Some(offer) = self.queue.pop_front()
        {
            if let Some(back) = self.hand_over(offer) {
                self.queue.push_front(back);
            }
        }
        let waiting = u64::try_from(self.queue.len()).unwrap_or(u64::MAX);
        let wanted = waiting
            .saturating_sub(self.starting)
            .min(most.saturating_sub(self.workers));
        for _ in 0..wanted {
            self.workers = self.workers.saturating_add(1);
            self.starting = self.starting.saturating_add(1);
            worker::start(self.begun.clone(), ctx.address(), self.sessions.clone());
        }
    }

    /// Workers with a message in hand.
    fn busy(&self) -> u64 {
        let free = u64::try_from(self.free.len()).unwrap_or(u64::MAX);
        self.workers.saturating_sub(self.starting).saturating_sub(free)
    }

    /// Tells all that waits what the last try was told: the site did not answer just now.
    fn put_off(&mut self) {
        let Some(failed) = &self.last_failure else { return };
        for offer in self.queue.drain(..) {
            let Offer {
                dispatch, destination, ..
            } = offer;
            metrics::counter!("sealpost_site_put_off_total").increment(1);
            let hand = InHand::new(dispatch, destination, self.begun.clone());
            self.begun.runtime.spawn(hand.could_not_open(failed.clone()));
        }
    }

    /// Gives an offer to a worker that still waits; gives it back when none does.
    fn hand_over(&mut self, offer: Offer) -> Option<Offer> {
        let Offer {
            dispatch,
            plan,
            destination,
        } = offer;
        let hand = InHand::new(dispatch, destination, self.begun.clone());
        let mut handed = Handed { hand, plan };
        while let Some(reply) = self.free.pop_front() {
            match reply.send(handed) {
                Ok(()) => return None,
                Err(back) => handed = back,
            }
        }
        let Handed { hand, plan } = handed;
        hand.give_back().map(|(dispatch, destination)| Offer {
            dispatch,
            plan,
            destination,
        })
    }
}

impl Actor for SiteActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(1 << 16);
    }
}

impl Handler<Offer> for SiteActor {
    type Result = ();

    fn handle(&mut self, offer: Offer, ctx: &mut Self::Context) {
        if self.halted {
            // It stands in the spool; the next start takes it from there.
            offer.destination.do_send(Finished {
                message: offer.dispatch.message,
                next: Next::Forget,
            });
            return;
        }
        self.queue.push_back(offer);
        self.pair(ctx);
    }
}

impl Handler<Free> for SiteActor {
    type Result = ();

    fn handle(&mut self, free: Free, ctx: &mut Self::Context) {
        self.starting = self.starting.saturating_sub(1);
        // Dropping the reply tells the worker to end.
        if !self.halted {
            self.free.push_back(free.reply);
            self.pair(ctx);
        }
    }
}

impl Handler<Learned> for SiteActor {
    type Result = ();

    fn handle(&mut self, learned: Learned, ctx: &mut Self::Context) {
        let now = self.begun.accounts.now();
        match learned {
            Learned::Opened => self.throttle.opened(),
            Learned::NotOpened(failed) => {
                self.throttle.not_opened(now, self.sessions.count());
                self.last_failure = Some(OpenFailed {
                    peer: None,
                    connect_ms: 0,
                    ..*failed
                });
            }
            Learned::Ended(sign) => self.throttle.ended(sign, now),
        }
        if !self.halted {
            self.pair(ctx);
        }
    }
}

impl Handler<WorkerEnded> for SiteActor {
    type Result = ();

    fn handle(&mut self, _: WorkerEnded, ctx: &mut Self::Context) {
        self.workers = self.workers.saturating_sub(1);
        if !self.halted {
            self.pair(ctx);
        }
    }
}

impl Handler<Halt> for SiteActor {
    type Result = ();

    fn handle(&mut self, _: Halt, _ctx: &mut Self::Context) {
        self.halted = true;
        self.free.clear();
        self.queue.clear();
    }
}
