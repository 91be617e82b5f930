//! All destinations: the handle that mail is given to, and the registry of their actors and of the sites they share.

use std::collections::HashMap;
use std::sync::Arc;

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message};
use sealpost_domain::address::DomainName;
use sealpost_domain::ids::{KeyId, MessageId};
use sealpost_domain::limits::PANICS_UNTIL_PARKED;
use sealpost_domain::message::RetryPolicy;
use sealpost_domain::shard::ParkedActor;

use super::accounts::Accounts;
use super::attempt::{Attempt, Routes};
use super::destination_actor::{DestinationActor, Take};
use super::dispatch::Dispatch;
use super::parked::record_parked;
use super::route::SiteKey;
use super::site_actor::SiteActor;
use super::spool_feed::SpoolFeed;

/// Where accepted mail goes. Cheap to clone.
#[derive(Clone)]
pub struct Destinations {
    registry: Addr<DestinationRegistry>,
    retry: Arc<RetryPolicy>,
    feed: SpoolFeed,
}

impl Destinations {
    /// A handle to the destinations of this registry.
    #[must_use]
    pub fn new(registry: Addr<DestinationRegistry>, retry: RetryPolicy, feed: SpoolFeed) -> Self {
        Self {
            registry,
            retry: Arc::new(retry),
            feed,
        }
    }

    /// Takes messages whose accept is on disk. They go when they are due; what is known already is passed over.
    pub fn dispatch(&self, dispatches: Vec<Dispatch>) {
        if !dispatches.is_empty() {
            self.registry.do_send(Dispatches(dispatches));
        }
    }

    /// When deferred mail is tried again.
    #[must_use]
    pub fn retry_policy(&self) -> RetryPolicy {
        self.retry.as_ref().clone()
    }

    /// Takes from the spool what waits of a key, once the spool has come to `position`.
    pub fn refill_key(&self, key: KeyId, position: u64) {
        let (feed, this) = (self.feed.clone(), self.clone());
        tokio::task::spawn_blocking(move || this.dispatch(feed.of_key(key, position)));
    }

    /// Takes a message from the spool, once the spool has come to `position`.
    pub fn refill_message(&self, message: MessageId, position: u64) {
        let (feed, this) = (self.feed.clone(), self.clone());
        tokio::task::spawn_blocking(move || this.dispatch(feed.of_message(message, position)));
    }
}

/// What the registry needs to send: given when the start-up pass is done. Until then all mail waits.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Begin {
    /// The door to the accounts, for the right to send.
    pub accounts: Accounts,
    /// How sessions are opened.
    pub attempt: Arc<dyn Attempt>,
    /// Where domains lead.
    pub routes: Arc<dyn Routes>,
    /// Where attempts run.
    pub runtime: tokio::runtime::Handle,
    /// Name of this node.
    pub node: String,
    /// Cloned by every message that is in a worker's hand: counts them.
    pub hands: Arc<()>,
    /// Most connections to one site.
    pub connections_per_site: u64,
}

/// Messages that are to go.
#[derive(Message)]
#[rtype(result = "()")]
struct Dispatches(Vec<Dispatch>);

/// A destination's actor has ended in a panic; its queue is gone from memory and stands in the spool.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct DestinationPanicked(pub DomainName);

/// Asks for the actor of a site.
#[derive(Message)]
#[rtype(result = "Option<Addr<SiteActor>>")]
pub(super) struct SiteFor(pub SiteKey);

/// No more attempts: the program ends.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Halt;

/// Messages that wait in memory until mail begins to go.
const WAITING_MAX: usize = 10_000;

/// The registry of destinations and sites.
#[derive(Default)]
pub struct DestinationRegistry {
    begun: Option<Arc<Begin>>,
    waiting: Vec<Dispatch>,
    destinations: HashMap<DomainName, Addr<DestinationActor>>,
    sites: HashMap<SiteKey, Addr<SiteActor>>,
    panics: HashMap<DomainName, u64>,
}

impl DestinationRegistry {
    fn route_dispatch(&mut self, dispatch: Dispatch, ctx: &Context<Self>) {
        let Some(begun) = self.begun.clone() else {
            // What is more stands in the spool, which is read when mail begins to go.
            if self.waiting.len() < WAITING_MAX {
                self.waiting.push(dispatch);
            }
            return;
        };
        let domain = dispatch.domain();
        if self
            .panics
            .get(&domain)
            .is_some_and(|panics| *panics >= PANICS_UNTIL_PARKED)
        {
            return;
        }
        let addr = match self.destinations.get(&domain) {
            Some(addr) if addr.connected() => addr.clone(),
            _ => {
                let addr = DestinationActor::new(domain.clone(), begun, ctx.address()).start();
                self.destinations.insert(domain, addr.clone());
                addr
            }
        };
        addr.do_send(Take(dispatch));
    }
}

impl Actor for DestinationRegistry {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(1 << 16);
    }
}

impl Handler<Begin> for DestinationRegistry {
    type Result = ();

    fn handle(&mut self, begin: Begin, ctx: &mut Self::Context) {
        self.begun = Some(Arc::new(begin));
        for dispatch in std::mem::take(&mut self.waiting) {
            self.route_dispatch(dispatch, ctx);
        }
    }
}

impl Handler<Dispatches> for DestinationRegistry {
    type Result = ();

    fn handle(&mut self, Dispatches(dispatches): Dispatches, ctx: &mut Self::Context) {
        for dispatch in dispatches {
            self.route_dispatch(dispatch, ctx);
        }
    }
}

impl Handler<SiteFor> for DestinationRegistry {
    type Result = Option<Addr<SiteActor>>;

    fn handle(&mut self, SiteFor(site): SiteFor, _ctx: &mut Self::Context) -> Self::Result {
        let begun = self.begun.clone()?;
        let actor = match self.sites.get(&site) {
            Some(actor) if actor.connected() => actor.clone(),
            _ => {
                let actor = SiteActor::new(begun).start();
                self.sites.insert(site, actor.clone());
                actor
            }
        };
        Some(actor)
    }
}

impl Handler<DestinationPanicked> for DestinationRegistry {
    type Result = ();

    fn handle(&mut self, DestinationPanicked(domain): DestinationPanicked, _ctx: &mut Self::Context) {
        metrics::counter!("sealpost_actor_panics_total", "kind" => "destination").increment(1);
        let panics = self.panics.entry(domain.clone()).or_default();
        *panics = panics.saturating_add(1);
        if *panics == PANICS_UNTIL_PARKED
            && let Some(begun) = &self.begun
        {
            tracing::error!(destination.domain = %domain, "a destination is parked: its actor failed again and again");
            let panics = u32::try_from(*panics).unwrap_or(u32::MAX);
            let (log, node) = (begun.accounts.log().clone(), begun.node.clone());
            actix::spawn(async move { record_parked(&log, &node, ParkedActor::Destination(domain), panics).await });
        }
    }
}

impl Handler<Halt> for DestinationRegistry {
    type Result = ();

    fn handle(&mut self, halt: Halt, _ctx: &mut Self::Context) {
        self.begun = None;
        for site in self.sites.values() {
            site.do_send(halt);
        }
    }
}
