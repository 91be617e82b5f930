//! The actor of one site: the connections that all destinations behind one route share.

use std::collections::VecDeque;
use std::sync::Arc;

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message};
use sealpost_domain::limits::CONNECTIONS_PER_SITE_MAX;
use tokio::sync::oneshot;

use super::attempt::Route;
use super::destination_actor::{DestinationActor, Finished, Next};
use super::destinations::{Begin, Halt};
use super::dispatch::Dispatch;
use super::in_hand::InHand;
use super::worker;

/// A message that this site may send.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Offer {
    /// The message.
    pub dispatch: Dispatch,
    /// Whose queue it is from.
    pub destination: Addr<DestinationActor>,
}

/// A worker is free for a message; it waits at `reply`.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Free {
    /// Where the message goes.
    pub reply: oneshot::Sender<InHand>,
}

/// A worker has ended, in whatever way.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct WorkerEnded;

/// The actor of one site.
pub(super) struct SiteActor {
    route: Route,
    begun: Arc<Begin>,
    queue: VecDeque<Offer>,
    free: VecDeque<oneshot::Sender<InHand>>,
    workers: u64,
    /// Workers that were started and have not asked for a message yet.
    starting: u64,
    halted: bool,
}

impl SiteActor {
    pub(super) fn new(route: Route, begun: Arc<Begin>) -> Self {
        Self {
            route,
            begun,
            queue: VecDeque::new(),
            free: VecDeque::new(),
            workers: 0,
            starting: 0,
            halted: false,
        }
    }

    /// Matches what waits with who is free, and starts workers while both too few run and something waits.
    fn pair(&mut self, ctx: &Context<Self>) {
        while !self.free.is_empty()
            && let Some(offer) = self.queue.pop_front()
        {
            if let Some(back) = self.hand_over(offer) {
                self.queue.push_front(back);
            }
        }
        let waiting = u64::try_from(self.queue.len()).unwrap_or(u64::MAX);
        let wanted = waiting
            .saturating_sub(self.starting)
            .min(CONNECTIONS_PER_SITE_MAX.saturating_sub(self.workers));
        for _ in 0..wanted {
            self.workers = self.workers.saturating_add(1);
            self.starting = self.starting.saturating_add(1);
            worker::start(self.route.clone(), self.begun.clone(), ctx.address());
        }
    }

    /// Gives an offer to a worker that still waits; gives it back when none does.
    fn hand_over(&mut self, offer: Offer) -> Option<Offer> {
        let Offer { dispatch, destination } = offer;
        let mut hand = InHand::new(dispatch, destination, self.begun.clone());
        while let Some(reply) = self.free.pop_front() {
            match reply.send(hand) {
                Ok(()) => return None,
                Err(back) => hand = back,
            }
        }
        hand.give_back()
            .map(|(dispatch, destination)| Offer { dispatch, destination })
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
