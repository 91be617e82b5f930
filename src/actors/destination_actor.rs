//! The actor of one recipient domain: its queue, what is due, and how much of it is in hand at a time.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message};
use sealpost_domain::Instant;
use sealpost_domain::address::DomainName;
use sealpost_domain::ids::MessageId;
use sealpost_domain::limits::{CONNECTIONS_PER_SITE_MAX, DISPATCHES_PER_DESTINATION_MAX, PANICS_UNTIL_PARKED};

use super::attempt::OpenFailed;
use super::destinations::{Begin, DestinationPanicked, DestinationRegistry, SiteFor};
use super::dispatch::Dispatch;
use super::in_hand::{InHand, hold_after_panics};
use super::route::{NoRoute, RoutePlan};
use super::site_actor::{Offer, SiteActor};

/// How often the clock is looked at while something waits for its time.
const TICK: Duration = Duration::from_millis(100);
/// Messages of one destination that its site may hold at a time: enough to keep every connection busy, few enough that
/// destinations of one site take turns.
const OFFERED_MAX: usize = 2 * CONNECTIONS_PER_SITE_MAX as usize;

/// A message for this destination.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Take(pub Dispatch);

/// A message is out of hand.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Finished {
    /// The message.
    pub message: MessageId,
    /// What follows.
    pub next: Next,
}

/// What follows an attempt.
pub(super) enum Next {
    /// Nothing, or somebody else sees to it.
    Forget,
    /// Nothing until its key or account is let go: then it is brought from the spool.
    Rest(Box<Dispatch>),
    /// Another attempt when it is due.
    Again(Box<Dispatch>),
    /// The attempt panicked; another one when it is due.
    Panicked(Box<Dispatch>),
}

#[derive(Message)]
#[rtype(result = "()")]
struct Tick;

/// Where mail goes, and who takes it there.
type Way = (Arc<RoutePlan>, Addr<SiteActor>);

/// The actor of one recipient domain.
pub(super) struct DestinationActor {
    domain: DomainName,
    begun: Arc<Begin>,
    registry: Addr<DestinationRegistry>,
    /// Where the mail goes, and who takes it there.
    site: Option<Way>,
    site_asked: bool,
    known: HashSet<MessageId>,
    ready: VecDeque<Dispatch>,
    delayed: BTreeMap<(Instant, MessageId), Dispatch>,
    offered: usize,
    panics: HashMap<MessageId, u64>,
    /// What the spool brought while it was known. A refusal that was decided before its key was let go may come after the
    /// spool did: then it is asked for again.
    brought_again: HashSet<MessageId>,
    ticking: bool,
}

impl DestinationActor {
    pub(super) fn new(domain: DomainName, begun: Arc<Begin>, registry: Addr<DestinationRegistry>) -> Self {
        Self {
            domain,
            begun,
            registry,
            site: None,
            site_asked: false,
            known: HashSet::new(),
            ready: VecDeque::new(),
            delayed: BTreeMap::new(),
            offered: 0,
            panics: HashMap::new(),
            brought_again: HashSet::new(),
            ticking: false,
        }
    }

    fn queue(&mut self, dispatch: Dispatch, ctx: &mut Context<Self>) {
        let due_at = dispatch.due_at();
        if due_at <= self.begun.accounts.now() {
            self.ready.push_back(dispatch);
            self.offer(ctx);
        } else {
            self.delayed.insert((due_at, dispatch.message), dispatch);
            self.tick_later(ctx);
        }
    }

    fn tick_later(&mut self, ctx: &mut Context<Self>) {
        if !self.ticking && !self.delayed.is_empty() {
            self.ticking = true;
            ctx.notify_later(Tick, TICK);
        }
    }

    /// Gives the site what it may hold.
    fn offer(&mut self, ctx: &mut Context<Self>) {
        let now = self.begun.accounts.now();
        let known = self.site.clone();
        let Some((plan, site)) = known.filter(|(plan, site)| plan.holds_at(now) && site.connected()) else {
            return self.ask_for_site(ctx);
        };
        while self.offered < OFFERED_MAX {
            let Some(dispatch) = self.ready.pop_front() else { return };
            self.offered = self.offered.saturating_add(1);
            site.do_send(Offer {
                dispatch,
                plan: plan.clone(),
                destination: ctx.address(),
            });
        }
    }

    /// Asks where the mail goes, and for the site that takes it there.
    fn ask_for_site(&mut self, ctx: &Context<Self>) {
        if self.site_asked || self.ready.is_empty() {
            return;
        }
        self.site_asked = true;
        let (begun, domain) = (self.begun.clone(), self.domain.clone());
        let (registry, this) = (self.registry.clone(), ctx.address());
        let planned = self
            .begun
            .runtime
            .spawn(async move { begun.routes.plan(&domain).await });
        actix::spawn(async move {
            let plan = match planned.await {
                Ok(planned) => planned,
                Err(failure) => {
                    tracing::error!(error = %failure, "a search for a route ended in a way that it should not");
                    Err(NoRoute::DnsFailed)
                }
            };
            let found = match plan {
                Ok(plan) => {
                    let site = registry.send(SiteFor(plan.site.clone())).await;
                    Ok(site.ok().flatten().map(|site| (plan, site)))
                }
                Err(no_route) => Err(no_route),
            };
            this.do_send(SiteKnown(found));
        });
    }

    /// Tells all that is due that it has nowhere to go.
    fn no_route(&mut self, no_route: &NoRoute, ctx: &Context<Self>) {
        metrics::counter!("sealpost_no_route_total", "reason" => no_route.name()).increment(1);
        for dispatch in std::mem::take(&mut self.ready) {
            self.offered = self.offered.saturating_add(1);
            let hand = InHand::new(dispatch, ctx.address(), self.begun.clone());
            let failed = OpenFailed::undialled(no_route.outcome());
            self.begun.runtime.spawn(hand.could_not_open(failed));
        }
    }

    fn after_panic(&mut self, dispatch: Dispatch, ctx: &mut Context<Self>) {
        let panics = self.panics.entry(dispatch.message).or_default();
        *panics = panics.saturating_add(1);
        if *panics >= PANICS_UNTIL_PARKED {
            self.known.remove(&dispatch.message);
            self.panics.remove(&dispatch.message);
            self.brought_again.remove(&dispatch.message);
            self.begun
                .runtime
                .spawn(hold_after_panics(self.begun.clone(), dispatch));
        } else {
            self.queue(dispatch, ctx);
        }
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct SiteKnown(Result<Option<Way>, NoRoute>);

impl Actor for DestinationActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(1 << 16);
    }
}

impl Drop for DestinationActor {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.registry.do_send(DestinationPanicked(self.domain.clone()));
        }
    }
}

impl Handler<Take> for DestinationActor {
    type Result = ();

    fn handle(&mut self, Take(dispatch): Take, ctx: &mut Self::Context) {
        let full = self.known.len() >= usize::try_from(DISPATCHES_PER_DESTINATION_MAX).unwrap_or(usize::MAX);
        if self.known.contains(&dispatch.message) {
            self.brought_again.insert(dispatch.message);
            return;
        }
        // What does not fit waits in the spool; the feed brings it when there is room.
        if !full && self.known.insert(dispatch.message) {
            self.queue(dispatch, ctx);
        }
    }
}

impl Handler<SiteKnown> for DestinationActor {
    type Result = ();

    fn handle(&mut self, SiteKnown(found): SiteKnown, ctx: &mut Self::Context) {
        self.site_asked = false;
        match found {
            Ok(site) => {
                self.site = site;
                if self.site.is_some() {
                    self.offer(ctx);
                }
            }
            Err(no_route) => self.no_route(&no_route, ctx),
        }
    }
}

impl Handler<Finished> for DestinationActor {
    type Result = ();

    fn handle(&mut self, finished: Finished, ctx: &mut Self::Context) {
        self.offered = self.offered.saturating_sub(1);
        let brought_again = self.brought_again.remove(&finished.message);
        match finished.next {
            Next::Rest(dispatch) if brought_again => self.queue(*dispatch, ctx),
            Next::Forget | Next::Rest(_) => {
                self.known.remove(&finished.message);
                self.panics.remove(&finished.message);
            }
            Next::Again(dispatch) => self.queue(*dispatch, ctx),
            Next::Panicked(dispatch) => self.after_panic(*dispatch, ctx),
        }
        self.offer(ctx);
    }
}

impl Handler<Tick> for DestinationActor {
    type Result = ();

    fn handle(&mut self, _: Tick, ctx: &mut Self::Context) {
        self.ticking = false;
        let now = self.begun.accounts.now();
        while let Some(entry) = self.delayed.first_entry() {
            if entry.key().0 > now {
                break;
            }
            self.ready.push_back(entry.remove());
        }
        self.offer(ctx);
        self.tick_later(ctx);
    }
}
