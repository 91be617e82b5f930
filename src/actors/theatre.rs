//! The threads that actors run on: starts the registries, runs the start-up pass before anything is sent, and ends it
//! all in order.

use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use actix::{Actor, Addr, Arbiter, System};
use sealpost_domain::message::RetryPolicy;
use thiserror::Error;
use tokio::sync::oneshot;

use super::accounts::Accounts;
use super::attempt::{Attempt, Routes};
use super::destinations::{Begin, DestinationRegistry, Destinations, Halt};
use super::recovery;
use super::registry::Registry;
use super::spool_feed::SpoolFeed;
use crate::clock::Clock;
use crate::log::Log;

/// How often what is due in the spool is offered again to the destinations: what a full queue or a failed actor dropped
/// comes back that way.
const REFILL_EVERY: Duration = Duration::from_secs(15);

/// Whether mail goes out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Outgoing {
    /// As soon as it is due.
    #[default]
    Flows,
    /// Not in this run: the folder is open for a command alone, which knows neither the routes nor how long it lasts.
    Rests,
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
    /// Where attempts run.
    pub runtime: tokio::runtime::Handle,
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
    /// The start-up pass failed.
    #[error("the open attempts of the last run cannot be settled")]
    Recovery(#[from] recovery::RecoveryFailure),
}

/// The running actors.
pub struct Theatre {
    accounts: Accounts,
    destinations: Destinations,
    registry: Addr<DestinationRegistry>,
    hands: Arc<()>,
    refill: Option<tokio::task::JoinHandle<()>>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Theatre {
    /// Starts the actors, settles what the last run left open, and only then lets mail go.
    ///
    /// # Errors
    /// As [`TheatreFailure`] says.
    pub async fn start(config: TheatreConfig) -> Result<Self, TheatreFailure> {
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
                    let accounts =
                        Registry::start_in_arbiter(&accounts_at.handle(), |_| Registry::new(log, clock, node, to));
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
        let accounts = Accounts::new(accounts, config.log.clone(), config.clock.clone());
        recovery::settle_open_starts(&accounts, &config.feed, &config.node).await?;
        let hands = Arc::new(());
        let refill = match config.outgoing {
            Outgoing::Rests => None,
            Outgoing::Flows => {
                let begin = Begin {
                    accounts: accounts.clone(),
                    attempt: config.attempt,
                    routes: config.routes,
                    runtime: config.runtime.clone(),
                    node: config.node,
                    hands: hands.clone(),
                };
                registry.do_send(begin);
                Some(let_go(config.feed, &destinations, config.clock, &config.runtime).await?)
            }
        };
        Ok(Self {
            accounts,
            destinations,
            registry,
            hands,
            refill,
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
        if let Some(refill) = &self.refill {
            refill.abort();
        }
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

/// Gives the destinations everything that waits, and goes on giving what they dropped.
async fn let_go(
    feed: SpoolFeed,
    destinations: &Destinations,
    clock: Arc<dyn Clock>,
    runtime: &tokio::runtime::Handle,
) -> Result<tokio::task::JoinHandle<()>, TheatreFailure> {
    let (waiting, to) = (feed.clone(), destinations.clone());
    tokio::task::spawn_blocking(move || waiting.each_waiting(|page| to.dispatch(page)))
        .await
        .map_err(|_| TheatreFailure::Recovery(recovery::RecoveryFailure::CutOff))?;
    Ok(runtime.spawn(refill(feed, destinations.clone(), clock)))
}

async fn refill(feed: SpoolFeed, destinations: Destinations, clock: Arc<dyn Clock>) {
    let mut every = tokio::time::interval(REFILL_EVERY);
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
