//! A worker: one connection's life. Takes messages of its site one after another while the session lasts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix::Addr;
use sealpost_domain::limits::MESSAGES_PER_CONNECTION_MAX;
use sealpost_domain::tls_rule::TlsWant;
use tokio::sync::oneshot;

use super::attempt::{OpenFailed, Reuse, Session, level_of};
use super::destinations::Begin;
use super::route::RoutePlan;
use super::site_actor::{Free, Handed, Learned, SiteActor, WorkerEnded};

/// How long an open session waits for another message.
const IDLE_SESSION: Duration = Duration::from_secs(5);

/// Counts the open sessions of one site.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenSessions(Arc<AtomicU64>);

impl OpenSessions {
    /// How many are open.
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn one_more(&self) -> Counted {
        self.0.fetch_add(1, Ordering::Relaxed);
        metrics::gauge!("sealpost_sessions_open").increment(1);
        Counted(self.0.clone())
    }
}

/// One open session, for as long as it lives.
struct Counted(Arc<AtomicU64>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
        metrics::gauge!("sealpost_sessions_open").decrement(1);
    }
}

/// A session that may carry more than one message.
struct Kept {
    session: Box<dyn Session>,
    carried: u64,
    _counted: Counted,
}

/// Starts a worker; its site is told when it ends, also when it panics.
pub(super) fn start(begun: Arc<Begin>, site: Addr<SiteActor>, sessions: OpenSessions) {
    let runtime = begun.runtime.clone();
    let work = runtime.spawn(run(begun, site.clone(), sessions));
    runtime.spawn(async move {
        if let Err(failure) = work.await {
            metrics::counter!("sealpost_actor_panics_total", "kind" => "attempt").increment(1);
            tracing::error!(error = %failure, "an attempt ended in a way that it should not");
        }
        site.do_send(WorkerEnded);
    });
}

async fn run(begun: Arc<Begin>, site: Addr<SiteActor>, sessions: OpenSessions) {
    let mut kept: Option<Kept> = None;
    while let Some(Handed { hand, plan }) = next(&site).await {
        let Some(hand) = hand.with_log().await else { continue };
        let Some((hand, want)) = hand.wanting(&plan).await else {
            continue;
        };
        let mut open = match still_usable(kept.take(), want).await {
            Some(open) => open,
            None => match open(&begun, &plan, want, &sessions).await {
                Ok(open) => {
                    site.do_send(Learned::Opened);
                    open
                }
                Err(failed) => {
                    // Who fails at TLS has answered: what one message cannot have there, another may.
                    site.do_send(if failed.is_for_tls() {
                        Learned::Opened
                    } else {
                        Learned::NotOpened(Box::new(failed.clone()))
                    });
                    hand.could_not_open(failed).await;
                    continue;
                }
            },
        };
        let (reuse, sign) = hand.deliver(open.session.as_mut(), want).await;
        site.do_send(Learned::Ended(sign));
        open.carried = open.carried.saturating_add(1);
        if reuse == Reuse::Keep && open.carried < MESSAGES_PER_CONNECTION_MAX {
            kept = Some(open);
        } else {
            open.session.close().await;
        }
    }
    if let Some(open) = kept {
        open.session.close().await;
    }
}

async fn open(begun: &Begin, plan: &RoutePlan, want: TlsWant, sessions: &OpenSessions) -> Result<Kept, OpenFailed> {
    let opened = begun.attempt.open(plan, want).await;
    let result = if opened.is_ok() { "opened" } else { "failed" };
    metrics::counter!("sealpost_sessions_total", "result" => result).increment(1);
    Ok(Kept {
        session: opened?,
        carried: 0,
        _counted: sessions.one_more(),
    })
}

/// The kept session, when it gives what the message wants and the server still listens.
async fn still_usable(kept: Option<Kept>, want: TlsWant) -> Option<Kept> {
    let mut open = kept?;
    if want.rides(level_of(open.session.as_ref()), open.session.clear()) && open.session.is_usable().await {
        return Some(open);
    }
    open.session.close().await;
    None
}

/// The next message; `None` when the site has none for a while, or ends.
async fn next(site: &Addr<SiteActor>) -> Option<Handed> {
    let (reply, mut offered) = oneshot::channel();
    site.do_send(Free { reply });
    match tokio::time::timeout(IDLE_SESSION, &mut offered).await {
        Ok(handed) => handed.ok(),
        Err(_) => {
            // It may have come in this very moment; after `close` nothing can come any more.
            offered.close();
            offered.try_recv().ok()
        }
    }
}
