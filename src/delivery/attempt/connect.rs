//! Step one: finds the addresses of a host and connects to one of them.

use std::net::{IpAddr, SocketAddr};

use sealpost_domain::message::{AttemptOutcome, DeferralReason};

use crate::actors::{Addresses, OpenFailed, PlannedHost};
use crate::smtp::client::{Connection, Opened, Recorder, Timeouts};

impl OpenFailed {
    /// A session that could not be opened for this reason.
    pub(super) fn because(reason: DeferralReason) -> Self {
        Self::undialled(AttemptOutcome::Deferred { reason, reply: None })
    }

    /// The same, with the host and the address that were dialled.
    pub(super) fn at(self, host: &PlannedHost, peer: SocketAddr) -> Self {
        Self {
            host: Some(host.name.clone()),
            peer: Some(peer.to_string()),
            ..self
        }
    }
}

/// The addresses of a host, in no order; none when the system knows none.
pub(super) async fn addresses(host: &PlannedHost, port: u16, timeouts: &Timeouts) -> Vec<IpAddr> {
    match &host.addresses {
        Addresses::Known(known) => known.clone(),
        Addresses::AskSystem => {
            let name = host.name.trim_start_matches('[').trim_end_matches(']');
            let asked = tokio::time::timeout(timeouts.connect, tokio::net::lookup_host((name, port))).await;
            let Ok(Ok(found)) = asked else {
                tracing::info!(route.host = %host.name, "the host of a route has no address");
                return Vec::new();
            };
            let mut addresses: Vec<IpAddr> = Vec::new();
            for address in found.map(|one| one.ip()) {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            addresses
        }
    }
}

pub(super) async fn connect(peer: SocketAddr, timeouts: &Timeouts) -> Result<Connection<Opened>, OpenFailed> {
    let opened = Connection::open(peer, timeouts, Recorder::new()).await;
    opened.map_err(|broken| {
        tracing::info!(peer = %peer, error = %broken, "no connection");
        OpenFailed::because(DeferralReason::ConnectFailed)
    })
}
