//! Step one: finds the addresses of the route's host and connects to the first that answers.

use std::net::SocketAddr;

use sealpost_domain::message::{AttemptOutcome, DeferralReason};

use crate::actors::{OpenFailed, Route};
use crate::smtp::client::{Connection, Opened, Recorder, Timeouts};

impl OpenFailed {
    /// A session that could not be opened for this reason.
    pub(super) fn because(reason: DeferralReason) -> Self {
        Self {
            outcome: AttemptOutcome::Deferred { reason, reply: None },
            peer: None,
            tls: None,
            connect_ms: 0,
        }
    }

    /// The same, with the address that was dialled.
    pub(super) fn at(self, peer: SocketAddr) -> Self {
        Self {
            peer: Some(peer.to_string()),
            ..self
        }
    }
}

pub(super) async fn connect(
    route: &Route,
    timeouts: &Timeouts,
) -> Result<(SocketAddr, Connection<Opened>), OpenFailed> {
    let host = route.host.trim_start_matches('[').trim_end_matches(']');
    let addresses = tokio::time::timeout(timeouts.connect, tokio::net::lookup_host((host, route.port))).await;
    let Ok(Ok(addresses)) = addresses else {
        tracing::info!(route.host = %route.host, "the host of a route has no address");
        return Err(OpenFailed::because(DeferralReason::ConnectFailed));
    };
    let mut last = OpenFailed::because(DeferralReason::ConnectFailed);
    for peer in addresses {
        match Connection::open(peer, timeouts, Recorder::new()).await {
            Ok(connection) => return Ok((peer, connection)),
            Err(broken) => {
                tracing::info!(route.host = %route.host, peer = %peer, error = %broken, "no connection");
                last = last.at(peer);
            }
        }
    }
    Err(last)
}
