//! The threads that actors run on: starts the registries, runs the start-up pass before anything is sent, and ends it
//! all in order.

use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use actix::{Actor, Addr, Arbiter, System};
use sealpost_domain::message::RetryPolicy;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::oneshot;

use super::accounts::Accounts;
use super::attempt::{Attempt, Routes};
use super::destinations::{Begin, DestinationRegistry, Destinations, Halt};
use super::recovery;
use super::registry::Registry;
use super::spool_feed::SpoolFeed;
use super::tls_choices::TlsChoices;
use crate::clock::Clock;
use crate::log::Log;

/// Whether mail goes out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outgoing {
    /// As soon as it is due.
    #[default]
    Flows,
    /// Not in this run: it is accepted and waits. So where the folder is open for a command alone, which knows neither the
    /// routes nor how long it lasts, and where the operator says so.
    Rests,
}

impl Outgoing {
    /// Flows where both say so.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Flows, Self::Flows) => Self::Flows,
            _ => Self::Rests,
        }
    }
}

/// What the actors are given.
pub struct TheatreConfig {
    /// Name of this node.
    pub node: String,
    /// When deferred mail is tried again.
    pub retry: RetryPolicy,
    /// The log.
    pub log: Log,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The spool.
    pub feed: SpoolFeed,
    /// How sessions are opened.
    pub attempt: Arc<dyn Attempt>,
    /// Where domains lead.
    pub routes: Arc<dyn Routes>,
    /// Whether mail goes out.
    pub outgoing: Outgoing,
    /// How long the start waits until what the last run left open is settled; it goes on behind an open door then.
    pub patience: Duration,
    /// How often what is due in the spool is offered again to the destinations: what a full queue or a failed actor
    /// dropped comes back that way.
    pub refill_every: Duration,
    /// Where attempts run.
    pub runtime: tokio::runtime::Handle,
    /// Most connections to one site, at least 1.
    pub connections_per_site: u64,
}

/// Why the actors do not run.
#[derive(Debug, Error)]
pub enum TheatreFailure {
    /// No thread for them.
    #[error("the actors' thread cannot be started")]
    Thread(#[source] std::io::Error),
    /// Their thread ended before they ran.
    #[error("the actors' thread ended before the actors ran")]
    Ended,
}

/// The running actors.
pub struct Theatre {
    accounts: Accounts,
    destinations: Destinations,
    registry: Addr<DestinationRegistry>,
    hands: Arc<()>,
    outgoing: tokio::task::JoinHandle<()>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Theatre {
    /// Starts the actors, settles what the last run left open, and only then lets mail go. When that takes longer than the
    /// configured patience, it is still under way when this returns: accepting needs none of it.
    ///
    /// # Errors
    /// As [`TheatreFailure`] says.
    pub async fn start(config: TheatreConfig) -> Result<Self, TheatreFailure> {
        let tls = TlsChoices::default();
        let choices = tls.clone();
        let (started, addresses) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let (log, clock, node) = (config.log.clone(), config.clock.clone(), config.node.clone());
        let (retry, feed) = (config.retry.clone(), config.feed.clone());
        let thread = std::thread::Builder::new()
            .name("actors".to_owned())
            .spawn(move || {
                System::new().block_on(async move {
                    let (accounts_at, destinations_at) = (Arbiter::new(), Arbiter::new());
                    let registry = DestinationRegistry::start_in_arbiter(&destinations_at.handle(), |_| {
                        DestinationRegistry::default()
                    });
                    let destinations = Destinations::new(registry.clone(), retry, feed);
                    let to = destinations.clone();
                    let accounts = Registry::start_in_arbiter(&accounts_at.handle(), |_| {
                        Registry::new(log, clock, node, to, choices)
                    });
                    if started.send((accounts, registry, destinations)).is_ok() {
                        // Ends when the theatre says so, and also when it is gone.
                        stopped.await.unwrap_or_default();
                    }
                    accounts_at.stop();
                    destinations_at.stop();
                    System::current().stop();
                });
            })
            .map_err(TheatreFailure::Thread)?;
        let addresses = tokio::task::spawn_blocking(move || addresses.recv()).await;
        let Ok(Ok((accounts, registry, destinations))) = addresses else {
            return Err(TheatreFailure::Ended);
        };
        let accounts = Accounts::new(accounts, config.log.clone(), config.clock.clone(), tls);
        let hands = Arc::new(());
        let (settled, has_settled) = oneshot::channel();
        let (patience, runtime) = (config.patience, config.runtime.clone());
        let opening = Opening {
            config,
            accounts: accounts.clone(),
            destinations: destinations.clone(),
            registry: registry.clone(),
            hands: hands.clone(),
        };
        let outgoing = runtime.spawn(opening.run(settled));
        if tokio::time::timeout(patience, has_settled).await.is_err() {
            tracing::warn!("mail is accepted before the last run is settled, and waits until it is");
        }
        Ok(Self {
            accounts,
            destinations,
            registry,
            hands,
            outgoing,
            stop,
            thread,
        })
    }

    /// The door to the accounts.
    #[must_use]
    pub const fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Where accepted mail goes.
    #[must_use]
    pub const fn destinations(&self) -> &Destinations {
        &self.destinations
    }

    /// How many messages are in the hands of workers.
    #[must_use]
    pub fn in_hand(&self) -> usize {
        // One is ours and one is that of the actors.
        Arc::strong_count(&self.hands).saturating_sub(2)
    }

    /// Ends the actors: no new attempts, open ones may finish until `grace` is over. What is open then is in doubt, and
    /// the next start says so.
    pub async fn stop(self, grace: Duration) {
        self.outgoing.abort();
        self.registry.do_send(Halt);
        let drained = async {
            // One is ours and one is that of the actors.
            while Arc::strong_count(&self.hands) > 2 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(grace, drained).await.is_err() {
            tracing::warn!("attempts are still open at the end of the grace period");
        }
        if self.stop.send(()).is_err() {
            tracing::debug!("the actors had ended already");
        }
        if tokio::task::spawn_blocking(move || self.thread.join()).await.is_err() {
            tracing::error!("the actors' thread did not end in order");
        }
    }
}

/// What lets mail go.
struct Opening {
    config: TheatreConfig,
    accounts: Accounts,
    destinations: Destinations,
    registry: Addr<DestinationRegistry>,
    hands: Arc<()>,
}

impl Opening {
    /// Settles what the last run left open and says so, gives the destinations everything that waits, and goes on giving
    /// what they dropped.
    async fn run(self, settled: oneshot::Sender<()>) {
        let Self { config, accounts, .. } = self;
        let feed = config.feed;
        recovery::settle_open_starts(&accounts, &feed, &config.node).await;
        if config.outgoing == Outgoing::Flows {
            self.registry.do_send(Begin {
                accounts,
                attempt: config.attempt,
                routes: config.routes,
                runtime: config.runtime,
                node: config.node,
                hands: self.hands,
                connections_per_site: config.connections_per_site,
            });
            let (waiting, to) = (feed.clone(), self.destinations.clone());
            let given = tokio::task::spawn_blocking(move || waiting.each_waiting(|page| to.dispatch(page)));
            if let Err(failure) = given.await {
                tracing::error!(error = %failure, "the spool could not be read");
            }
        }
        // Whoever waited may have lost patience.
        if settled.send(()).is_err() {
            tracing::warn!("the last run is settled, and mail goes out");
        }
        if config.outgoing == Outgoing::Flows {
            refill(feed, self.destinations, config.clock, config.refill_every).await;
        }
    }
}

async fn refill(feed: SpoolFeed, destinations: Destinations, clock: Arc<dyn Clock>, every: Duration) {
    let mut every = tokio::time::interval(every);
    loop {
        every.tick().await;
        let (feed, now) = (feed.clone(), clock.now());
        match tokio::task::spawn_blocking(move || feed.due(now)).await {
            Ok(due) => {
                tracing::debug!(count = due.len(), "offered again what is due");
                destinations.dispatch(due);
            }
            Err(failure) => tracing::error!(error = %failure, "the spool could not be read"),
        }
    }
}
