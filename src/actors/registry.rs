//! The registry of account actors: the only holder of their addresses. Wakes them from the log, rebuilds them after a
//! panic, and parks an account whose actor fails again and again.

use std::collections::HashMap;
use std::sync::Arc;

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message};
use sealpost_domain::ids::AccountId;
use sealpost_domain::limits::PANICS_UNTIL_PARKED;
use sealpost_domain::metadata::Metadata;
use sealpost_domain::shard::ParkedActor;
use sealpost_projections::SourceFailure;

use super::account_actor::{AccountActor, Ask, Ports};
use super::destinations::Destinations;
use super::hot::Hot;
use super::open_attempts::OpenAttempts;
use super::parked::{self, RecentPanics, record_parked, record_unparked};
use super::tls_choices::TlsChoices;
use super::work::{Admission, Reply, Work};
use crate::clock::Clock;
use crate::log::{Generation, Log};

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
    read: Read,
}

/// What came of reading an account.
enum Read {
    /// Its state.
    Hot(Generation, Hot),
    /// Not now.
    Failed,
    /// Not before somebody mends it.
    Unreadable,
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

/// Lets a parked account go again; answered with the position of the event that says so.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Unpark {
    /// The account.
    pub account: AccountId,
    /// Metadata of the event.
    pub metadata: Metadata,
    /// Where the answer goes.
    pub reply: Reply<Result<u64, Admission>>,
}

/// What came of putting an [`Unpark`] on record.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Unparked {
    account: AccountId,
    stored: Result<u64, Admission>,
    reply: Reply<Result<u64, Admission>>,
}

/// Asks which accounts are parked.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct ListParked(pub Reply<Vec<AccountId>>);

enum Entry {
    Awake(Addr<AccountActor>),
    Waking(Vec<Work>),
    Parked(Parking),
}

/// How an account is parked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parking {
    /// Until somebody lets it go.
    Stays,
    /// That it goes is being put on record.
    Leaving,
}

/// The registry of one shard.
pub struct Registry {
    log: Log,
    clock: Arc<dyn Clock>,
    node: String,
    destinations: Destinations,
    tls: TlsChoices,
    entries: HashMap<AccountId, Entry>,
    panics: HashMap<AccountId, RecentPanics>,
    /// Attempts that are open, by account: what a new actor takes over from the one before.
    attempts: HashMap<AccountId, OpenAttempts>,
}

impl Registry {
    /// An empty registry.
    #[must_use]
    pub fn new(log: Log, clock: Arc<dyn Clock>, node: String, destinations: Destinations, tls: TlsChoices) -> Self {
        Self {
            log,
            clock,
            node,
            destinations,
            tls,
            entries: HashMap::new(),
            panics: HashMap::new(),
            attempts: HashMap::new(),
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
                let read = Read::Failed;
                return registry.do_send(Woken { account, read });
            }
            let read = tokio::task::spawn_blocking(move || source.account_control(account)).await;
            let read = match read {
                Ok(Ok(recorded)) => Read::Hot(generation, Hot::replay(recorded)),
                Ok(Err(failure)) => {
                    tracing::error!(account.id = %account, error = %failure, "an account cannot be read from the log");
                    match failure {
                        SourceFailure::BadEvent { .. } => Read::Unreadable,
                        SourceFailure::Unreadable { .. } | SourceFailure::Closed => Read::Failed,
                    }
                }
                Err(_) => Read::Failed,
            };
            registry.do_send(Woken { account, read });
        });
    }

    fn attempts_of(&mut self, account: AccountId) -> OpenAttempts {
        self.attempts.entry(account).or_default().clone()
    }

    fn start_actor(
        &mut self,
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
            tls: self.tls.clone(),
        };
        AccountActor::new(account, generation, hot, self.attempts_of(account), ports).start()
    }

    fn park(&mut self, account: AccountId, panics: u32) {
        tracing::error!(account.id = %account, panics, "an account is parked until it is let go by the operator");
        metrics::counter!("sealpost_parked_total", "kind" => "account").increment(1);
        if let Some(Entry::Waking(waiting)) = self.entries.insert(account, Entry::Parked(Parking::Stays)) {
            for work in waiting {
                self.answer_parked(account, work);
            }
        }
        let (log, node) = (self.log.clone(), self.node.clone());
        actix::spawn(async move { record_parked(&log, &node, ParkedActor::Account(account), panics).await });
    }

    fn answer_parked(&mut self, account: AccountId, work: Work) {
        let attempts = self.attempts_of(account);
        parked::answer(work, &self.log, &self.node, self.destinations.retry_policy(), attempts);
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
            Some(Entry::Parked(_)) => self.answer_parked(route.account, route.work),
            Some(Entry::Awake(_)) | None => self.wake(route.account, ctx, vec![route.work]),
        }
    }
}

impl Handler<Woken> for Registry {
    type Result = ();

    fn handle(&mut self, woken: Woken, ctx: &mut Self::Context) {
        // It may have been parked meanwhile, and stays so.
        let Some(Entry::Waking(waiting)) = self.entries.get_mut(&woken.account) else {
            return;
        };
        let (generation, hot) = match woken.read {
            Read::Hot(generation, hot) => (generation, hot),
            Read::Failed => {
                // Dropping the work drops its replies: whoever asked learns that nobody knows, and may ask again.
                self.entries.remove(&woken.account);
                return;
            }
            // Nobody could decide anything on it, and to read it for every request helps nobody.
            Read::Unreadable => return self.park(woken.account, 0),
        };
        let waiting = std::mem::take(waiting);
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
            let now = self.clock.now();
            let panics = self.panics.entry(ended.account).or_default().add(now);
            metrics::counter!("sealpost_actor_panics_total", "kind" => "account").increment(1);
            if u64::from(panics) == PANICS_UNTIL_PARKED {
                self.park(ended.account, panics);
            }
        }
    }
}

impl Handler<Unpark> for Registry {
    type Result = ();

    fn handle(&mut self, unpark: Unpark, ctx: &mut Self::Context) {
        let Unpark {
            account,
            metadata,
            reply,
        } = unpark;
        match self.entries.get_mut(&account) {
            Some(Entry::Parked(parking @ Parking::Stays)) => *parking = Parking::Leaving,
            _ => return parked::tell(reply, Err(Admission::NotParked)),
        }
        let (log, registry) = (self.log.clone(), ctx.address());
        actix::spawn(async move {
            let stored = record_unparked(&log, account, metadata).await;
            registry.do_send(Unparked { account, stored, reply });
        });
    }
}

impl Handler<Unparked> for Registry {
    type Result = ();

    /// It goes only once that is on record.
    fn handle(&mut self, unparked: Unparked, _ctx: &mut Self::Context) {
        let Unparked { account, stored, reply } = unparked;
        if stored.is_ok() {
            tracing::warn!(account.id = %account, "a parked account is let go again");
            self.entries.remove(&account);
            self.panics.remove(&account);
        } else {
            self.entries.insert(account, Entry::Parked(Parking::Stays));
        }
        parked::tell(reply, stored);
    }
}

impl Handler<ListParked> for Registry {
    type Result = ();

    fn handle(&mut self, ListParked(reply): ListParked, _ctx: &mut Self::Context) {
        let is_parked = |entry: &Entry| matches!(entry, Entry::Parked(_));
        let mut accounts: Vec<_> = self.entries.iter().filter(|(_, entry)| is_parked(entry)).collect();
        accounts.sort_by_key(|(account, _)| **account);
        parked::tell(reply, accounts.into_iter().map(|(account, _)| *account).collect());
    }
}
