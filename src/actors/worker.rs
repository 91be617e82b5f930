//! A worker: one connection's life. Takes messages of its site one after another while the session lasts.

use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use sealpost_domain::limits::MESSAGES_PER_CONNECTION_MAX;
use tokio::sync::oneshot;

use super::attempt::{Reuse, Route, Session};
use super::destinations::Begin;
use super::in_hand::InHand;
use super::site_actor::{Free, SiteActor, WorkerEnded};

/// How long an open session waits for another message.
const IDLE_SESSION: Duration = Duration::from_secs(5);

/// Starts a worker; its site is told when it ends, also when it panics.
pub(super) fn start(route: Route, begun: Arc<Begin>, site: Addr<SiteActor>) {
    let runtime = begun.runtime.clone();
    let work = runtime.spawn(run(route, begun, site.clone()));
    runtime.spawn(async move {
        if let Err(failure) = work.await {
            metrics::counter!("sealpost_actor_panics_total", "kind" => "attempt").increment(1);
            tracing::error!(error = %failure, "an attempt ended in a way that it should not");
        }
        site.do_send(WorkerEnded);
    });
}

async fn run(route: Route, begun: Arc<Begin>, site: Addr<SiteActor>) {
    let mut session: Option<(Box<dyn Session>, u64)> = None;
    while let Some(hand) = next(&site).await {
        let Some(hand) = hand.with_log().await else { continue };
        let (mut open, carried) = match still_usable(session.take()).await {
            Some(open) => open,
            None => match begun.attempt.open(&route).await {
                Ok(open) => (open, 0),
                Err(failed) => {
                    hand.could_not_open(Some(route.host.clone()), failed).await;
                    continue;
                }
            },
        };
        let reuse = hand.deliver(&route.host, open.as_mut()).await;
        let carried = carried.saturating_add(1);
        if reuse == Reuse::Keep && carried < MESSAGES_PER_CONNECTION_MAX {
            session = Some((open, carried));
        } else {
            open.close().await;
        }
    }
    if let Some((open, _)) = session {
        open.close().await;
    }
}

/// The kept session, when the server still listens.
async fn still_usable(session: Option<(Box<dyn Session>, u64)>) -> Option<(Box<dyn Session>, u64)> {
    let (mut open, carried) = session?;
    if open.is_usable().await {
        return Some((open, carried));
    }
    open.close().await;
    None
}

/// The next message; `None` when the site has none for a while, or ends.
async fn next(site: &Addr<SiteActor>) -> Option<InHand> {
    let (reply, mut offered) = oneshot::channel();
    site.do_send(Free { reply });
    match tokio::time::timeout(IDLE_SESSION, &mut offered).await {
        Ok(hand) => hand.ok(),
        Err(_) => {
            // It may have come in this very moment; after `close` nothing can come any more.
            offered.close();
            offered.try_recv().ok()
        }
    }
}
