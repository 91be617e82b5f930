//! Walks the hosts of a plan and their addresses until one session is open, and remembers what the others said.

use std::net::SocketAddr;
use std::time::Duration;

use sealpost_domain::limits::CONNECTIONS_PER_ATTEMPT_MAX;
use sealpost_domain::message::{AttemptOutcome, DeferralReason};
use tokio::time::{Instant, timeout_at};

use super::deliverer::Dialling;
use super::order::{self, Draws};
use super::{connect, greet, log_in, secure};
use crate::actors::{OpenFailed, PlannedHost, RoutePlan, TlsStart};
use crate::smtp::client::{Connection, Ready};

/// How long one attempt looks for a session, over all hosts.
const WALK_MAX: Duration = Duration::from_secs(300);

/// An open session, and where it leads.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) host: String,
    pub(super) peer: SocketAddr,
    pub(super) connection: Connection<Ready>,
}

/// How a try failed.
enum Failed {
    /// At this address alone: the next one may do.
    Here(OpenFailed),
    /// In a way that no other address mends.
    Everywhere(OpenFailed),
}

impl From<OpenFailed> for Failed {
    fn from(failed: OpenFailed) -> Self {
        Self::Here(failed)
    }
}

/// The first session that opens, by the plan's order. Fails with what says most of the tries that failed.
pub(super) async fn walk(plan: &RoutePlan, dialling: &Dialling) -> Result<Reached, OpenFailed> {
    let deadline = Instant::now() + WALK_MAX;
    let mut draws = Draws::seeded((dialling.seed)());
    let mut said = OpenFailed::because(DeferralReason::ConnectFailed);
    let mut left = CONNECTIONS_PER_ATTEMPT_MAX;
    for host in order::hosts(&plan.hosts, &mut draws) {
        let addresses = connect::addresses(host, plan.port, &dialling.timeouts).await;
        for address in order::addresses(&addresses, &mut draws) {
            if left == 0 {
                return Err(said);
            }
            left = left.saturating_sub(1);
            let peer = SocketAddr::new(address, plan.port);
            let failed = match timeout_at(deadline, open(plan, host, peer, dialling)).await {
                Ok(Ok(connection)) => {
                    return Ok(Reached {
                        host: host.name.clone(),
                        peer,
                        connection,
                    });
                }
                Ok(Err(Failed::Everywhere(failed))) => return Err(failed.at(host, peer)),
                Ok(Err(Failed::Here(failed))) => failed.at(host, peer),
                Err(_) => return Err(said),
            };
            tracing::info!(route.host = %host.name, peer = %peer, outcome = ?reason(&failed), "no session at this address");
            if weight(&failed) >= weight(&said) {
                said = failed;
            }
        }
    }
    Err(said)
}

async fn open(
    plan: &RoutePlan,
    host: &PlannedHost,
    peer: SocketAddr,
    dialling: &Dialling,
) -> Result<Connection<Ready>, Failed> {
    let connection = connect::connect(peer, &dialling.timeouts).await?;
    let mut ready = match plan.start {
        TlsStart::StartTls => {
            let greeted = greet::greet(connection, &dialling.hello).await?;
            secure::secure(greeted, &host.name, plan.tls, &dialling.tls).await?
        }
        TlsStart::Implicit => {
            secure::greet_in_tls(connection, &dialling.hello, &host.name, plan.tls, &dialling.tls).await?
        }
    };
    if let Some(login) = &plan.login {
        log_in::log_in(&mut ready, login).await.map_err(Failed::Everywhere)?;
    }
    Ok(ready)
}

/// How much a failure says: a host that spoke says more than one that cannot be reached, and a failed connection that was
/// tried more than none at all.
const fn weight(failed: &OpenFailed) -> u8 {
    match reason(failed) {
        Some(DeferralReason::ConnectFailed) if failed.peer.is_none() => 0,
        Some(DeferralReason::ConnectFailed) => 1,
        Some(DeferralReason::ConnectionLost) => 2,
        _ => 3,
    }
}

const fn reason(failed: &OpenFailed) -> Option<DeferralReason> {
    match &failed.outcome {
        AttemptOutcome::Deferred { reason, .. } => Some(*reason),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
