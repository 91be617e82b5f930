//! The registry of account actors: the only holder of their addresses. Wakes them from the log, rebuilds them after a
//! panic, and parks an account whose actor fails again and again.

use std::collections::HashMap;
use std::sync::Arc;

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message};
use sealpost_domain::event::StreamId;
use sealpost_domain::ids::AccountId;
use sealpost_domain::limits::PANICS_UNTIL_PARKED;
use sealpost_domain::metadata::Metadata;
use sealpost_domain::shard::{ParkedActor, ShardEvent};
use sealpost_domain::{Event, StreamType};

use super::account_actor::{AccountActor, Ask, Ports};
use super::destinations::Destinations;
use super::grant::StartRefused;
use super::hot::Hot;
use super::work::{Admission, OutcomeRefused, Work};
use crate::clock::Clock;
use crate::log::{Append, Expected, Generation, Lane, Log, OnConflict, Row};

/// Work for the actor of an account.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Route {
    /// The account.
    pub account: AccountId,
    /// What is asked.
    pub work: Work,
}

/// The log was read for an account that is to wake.
#[derive(Message)]
#[rtype(result = "()")]
struct Woken {
    account: AccountId,
    read: Option<(Generation, Hot)>,
}

/// An actor reports how it ended: by itself, to be read anew, or in a panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub struct Ended {
    /// The account.
    pub account: AccountId,
    /// How.
    pub how: End,
}

/// How an actor ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Its state is no longer that of the log: it is to be read anew.
    Reload,
    /// It panicked.
    Panicked,
}

enum Entry {
    Awake(Addr<AccountActor>),
    Waking(Vec<Work>),
    Parked,
}

/// The registry of one shard.
pub struct Registry {
    log: Log,
    clock: Arc<dyn Clock>,
    node: String,
    destinations: Destinations,
    entries: HashMap<AccountId, Entry>,
    panics: HashMap<AccountId, u32>,
}

impl Registry {
    /// An empty registry.
    #[must_use]
    pub fn new(log: Log, clock: Arc<dyn Clock>, node: String, destinations: Destinations) -> Self {
        Self {
            log,
            clock,
            node,
            destinations,
            entries: HashMap::new(),
            panics: HashMap::new(),
        }
    }

    /// Reads the account's streams on a thread that may block; what is asked meanwhile waits.
    fn wake(&mut self, account: AccountId, ctx: &mut Context<Self>, waiting: Vec<Work>) {
        self.entries.insert(account, Entry::Waking(waiting));
        let (source, registry) = (self.log.source(), ctx.address());
        // Drawn before the log is read: what fails from here on makes the state stale.
        let generation = self.log.new_generation();
        // What an actor that panicked had handed over lands without it: the log is read behind that.
        let fence = self.log.fence();
        actix::spawn(async move {
            if let Err(busy) = fence.await {
                tracing::warn!(account.id = %account, error = %busy, "an account cannot be woken");
                return registry.do_send(Woken { account, read: None });
            }
            let read = tokio::task::spawn_blocking(move || source.account_control(account)).await;
            let read = match read {
                Ok(Ok(recorded)) => Some((generation, Hot::replay(recorded))),
                Ok(Err(failure)) => {
                    tracing::error!(account.id = %account, error = %failure, "an account cannot be read from the log");
                    None
                }
                Err(_) => None,
            };
            registry.do_send(Woken { account, read });
        });
    }

    fn start_actor(
        &self,
        account: AccountId,
        generation: Generation,
        hot: Hot,
        ctx: &Context<Self>,
    ) -> Addr<AccountActor> {
        let ports = Ports {
            log: self.log.clone(),
            clock: self.clock.clone(),
            node: self.node.clone(),
            registry: ctx.address(),
            destinations: self.destinations.clone(),
        };
        AccountActor::new(account, generation, hot, ports).start()
    }

    fn park(&mut self, account: AccountId, panics: u32) {
        tracing::error!(account.id = %account, panics, "an account is parked: its actor failed again and again");
        metrics::counter!("sealpost_parked_total", "kind" => "account").increment(1);
        self.entries.insert(account, Entry::Parked);
        record_parked(&self.log, &self.node, ParkedActor::Account(account), panics);
    }
}

/// Puts the parking of an actor on record. Best effort: the log may be what fails.
pub(super) fn record_parked(log: &Log, node: &str, actor: ParkedActor, panics: u32) {
    let append = Append {
        lane: Lane::Security,
        generation: None,
        rows: vec![Row {
            stream: StreamId::new(StreamType::Shard, 0),
            expected: Expected::Next,
            account: None,
            recipient_key: None,
            event_id: super::draw_event_id(),
            event: Event::Shard(ShardEvent::ActorParked { actor, panics }),
            metadata: Arc::new(Metadata::system(None, node)),
        }],
        idempotency: None,
        on_conflict: OnConflict::Answer,
    };
    match log.try_append(append) {
        Ok(ticket) => {
            actix::spawn(async move {
                if let Err(failure) = ticket.await {
                    tracing::error!(error = %failure, "the parking of an actor is not on record");
                }
            });
        }
        Err(busy) => tracing::error!(error = %busy, "the parking of an actor is not on record"),
    }
}

impl Actor for Registry {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        // Admission is by credits and lanes; the mailbox is never what holds work back.
        ctx.set_mailbox_capacity(1 << 16);
    }
}

impl Handler<Route> for Registry {
    type Result = ();

    fn handle(&mut self, route: Route, ctx: &mut Self::Context) {
        match self.entries.get_mut(&route.account) {
            Some(Entry::Awake(addr)) if addr.connected() => addr.do_send(Ask(route.work)),
            Some(Entry::Waking(waiting)) => waiting.push(route.work),
            Some(Entry::Parked) => answer_parked(route.work),
            Some(Entry::Awake(_)) | None => self.wake(route.account, ctx, vec![route.work]),
        }
    }
}

impl Handler<Woken> for Registry {
    type Result = ();

    fn handle(&mut self, woken: Woken, ctx: &mut Self::Context) {
        let Some(Entry::Waking(waiting)) = self.entries.remove(&woken.account) else {
            return;
        };
        // Dropping the work drops its replies: whoever asked learns that nobody knows, and may ask again.
        let Some((generation, hot)) = woken.read else { return };
        let addr = self.start_actor(woken.account, generation, hot, ctx);
        for work in waiting {
            addr.do_send(Ask(work));
        }
        self.entries.insert(woken.account, Entry::Awake(addr));
    }
}

impl Handler<Ended> for Registry {
    type Result = ();

    fn handle(&mut self, ended: Ended, _ctx: &mut Self::Context) {
        // Whoever asked before this arrived may have woken it again already.
        if matches!(self.entries.get(&ended.account), Some(Entry::Awake(addr)) if !addr.connected()) {
            self.entries.remove(&ended.account);
        }
        if ended.how == End::Panicked {
            let panics = self.panics.entry(ended.account).or_default();
            *panics = panics.saturating_add(1);
            let panics = *panics;
            metrics::counter!("sealpost_actor_panics_total", "kind" => "account").increment(1);
            if u64::from(panics) >= PANICS_UNTIL_PARKED {
                self.park(ended.account, panics);
            }
        }
    }
}

/// Answers what is asked of a parked account. An outcome is told again later: it must not be lost.
fn answer_parked(work: Work) {
    fn send<T>(reply: super::work::Reply<T>, answer: T) {
        if reply.send(answer).is_err() {
            tracing::debug!("nobody waits for the answer of a parked account");
        }
    }
    match work {
        Work::Check(_, reply) => send(reply, Err(Admission::Parked)),
        Work::Send(_, reply) => send(reply, Err(Admission::Parked)),
        Work::Manage(_, _, reply) => send(reply, Err(Admission::Parked)),
        Work::Start(_, reply) => send(reply, Err(StartRefused::Unavailable)),
        Work::Outcome(_, reply) => send(reply, Err(OutcomeRefused::Unavailable)),
    }
}
