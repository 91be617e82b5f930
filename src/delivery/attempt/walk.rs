//! Walks the hosts of a plan and their addresses until a session is open that gives what the message wants, and remembers
//! what the others said.
//!
//! After each failure the domain's rule says what follows: the smaller ClientHello at the same address, the next address,
//! or clear text. Clear text after a failure comes last, on a new connection, when no host has given TLS.

use std::net::SocketAddr;
use std::time::Duration;

use sealpost_domain::limits::CONNECTIONS_PER_ATTEMPT_MAX;
use sealpost_domain::message::{AttemptOutcome, DeferralReason};
use sealpost_domain::tls_rule::{
    ClearReason, Hello, MailAge, Step, Taint, TlsFailed, TlsFailure, TlsNeed, TlsRecord, TlsWant,
};
use tokio::time::{Instant, timeout_at};

use super::deliverer::Dialling;
use super::order::{self, Draws};
use super::secure::{Fell, Secured, Try};
use super::{connect, greet, log_in, secure};
use crate::actors::{OpenFailed, PlannedHost, RoutePlan, TlsStart};
use crate::smtp::client::{Connection, Ready};

/// How long one attempt looks for a session, over all hosts.
const WALK_MAX: Duration = Duration::from_secs(300);
/// What of that time is kept for clear text, where the message may come to it.
const WALK_IN_CLEAR: Duration = Duration::from_secs(60);
/// What of the connections is kept for it.
const CONNECTIONS_IN_CLEAR: u64 = 2;

/// An open session, and where it leads.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) host: String,
    pub(super) peer: SocketAddr,
    pub(super) connection: Connection<Ready>,
    /// Why it is in clear text; `None` where it is not.
    pub(super) clear: Option<ClearReason>,
    /// What failed on the way to it.
    pub(super) passed_over: Vec<TlsFailed>,
}

/// How a try failed.
enum Failed {
    /// At this address alone: the next one may do.
    Here(Fell),
    /// In a way that no other address mends.
    Everywhere(OpenFailed),
}

impl From<Fell> for Failed {
    fn from(fell: Fell) -> Self {
        Self::Here(fell)
    }
}

/// What a try is to come to.
#[derive(Clone, Copy)]
enum Way {
    /// TLS, with this ClientHello.
    Tls(Hello),
    /// Clear text, for this reason.
    Clear(ClearReason),
}

/// How a walk goes on after a try.
enum Next {
    /// With the session that it wanted.
    Take(Box<Reached>),
    /// At the same address, with the smaller ClientHello.
    Again,
    /// At the next address.
    On,
    /// Not at all.
    End,
}

/// One walk, and what it has seen.
struct Walk<'a> {
    plan: &'a RoutePlan,
    want: TlsWant,
    dialling: &'a Dialling,
    /// End of the walk, and of what of it looks for TLS.
    deadline: Instant,
    tls_until: Instant,
    left: u64,
    taint: Taint,
    passed_over: Vec<TlsFailed>,
    /// Where clear text may be tried in the end, with what failed there.
    fell: Vec<(&'a PlannedHost, SocketAddr, TlsFailure)>,
    said: OpenFailed,
}

/// The first session that gives what the message wants, by the plan's order. Fails with what says most of the tries that
/// failed.
pub(super) async fn walk(plan: &RoutePlan, want: TlsWant, dialling: &Dialling) -> Result<Reached, OpenFailed> {
    let mut walk = Walk::begin(plan, want, dialling);
    match walk.over_hosts().await {
        Some(reached) => Ok(reached),
        None => {
            let record = TlsRecord {
                wanted: walk.want.need,
                reached: None,
                failures: walk.passed_over,
                clear: None,
            };
            Err(OpenFailed {
                tls_record: Some(record),
                ..walk.said
            })
        }
    }
}

impl<'a> Walk<'a> {
    fn begin(plan: &'a RoutePlan, want: TlsWant, dialling: &'a Dialling) -> Self {
        let need = match plan.start {
            TlsStart::StartTls => want.need,
            // Such a port speaks nothing but TLS.
            TlsStart::Implicit => want.need.max(TlsNeed::Encrypted),
        };
        let now = Instant::now();
        Self {
            plan,
            want: TlsWant { need, ..want },
            dialling,
            deadline: now + WALK_MAX,
            tls_until: now + WALK_MAX.saturating_sub(WALK_IN_CLEAR),
            left: CONNECTIONS_PER_ATTEMPT_MAX,
            taint: Taint::None,
            passed_over: Vec::new(),
            fell: Vec::new(),
            said: OpenFailed::because(DeferralReason::ConnectFailed),
        }
    }

    async fn over_hosts(&mut self) -> Option<Reached> {
        let mut draws = Draws::seeded((self.dialling.seed)());
        for host in order::hosts(&self.plan.hosts, &mut draws) {
            let addresses = connect::addresses(host, self.plan.port, &self.dialling.timeouts).await;
            for address in order::addresses(&addresses, &mut draws) {
                match self.at_address(host, SocketAddr::new(address, self.plan.port)).await {
                    Next::Take(reached) => return Some(*reached),
                    Next::On | Next::Again => {}
                    Next::End => return None,
                }
                if self.is_over() {
                    return self.in_clear().await;
                }
            }
        }
        self.in_clear().await
    }

    /// Whether what is left belongs to clear text, or nothing is.
    fn is_over(&self) -> bool {
        let in_clear = self.want.need.allows_clear() && self.want.age == MailAge::Aged && !self.fell.is_empty();
        if in_clear {
            self.left <= CONNECTIONS_IN_CLEAR || Instant::now() >= self.tls_until
        } else {
            self.left == 0 || Instant::now() >= self.deadline
        }
    }

    /// One address: once, and once more where the rule wants the smaller ClientHello.
    async fn at_address(&mut self, host: &'a PlannedHost, peer: SocketAddr) -> Next {
        match self.attempt(host, peer, Way::Tls(Hello::Full)).await {
            Next::Again if self.left > 0 => self.attempt(host, peer, Way::Tls(Hello::Reduced)).await,
            other => other,
        }
    }

    /// Clear text where it is allowed now, in the order of the walk.
    async fn in_clear(&mut self) -> Option<Reached> {
        // A login is never said in clear text.
        if self.plan.login.is_some() {
            return None;
        }
        for (host, peer, failure) in std::mem::take(&mut self.fell) {
            let Some(reason) = self.want.clear(failure, self.taint) else {
                continue;
            };
            if self.left == 0 {
                return None;
            }
            match self.attempt(host, peer, Way::Clear(reason)).await {
                Next::Take(reached) => return Some(*reached),
                Next::On | Next::Again => {}
                Next::End => return None,
            }
        }
        None
    }

    /// One connection, and what it teaches.
    async fn attempt(&mut self, host: &'a PlannedHost, peer: SocketAddr, way: Way) -> Next {
        self.left = self.left.saturating_sub(1);
        let opened = timeout_at(self.deadline, open(self, host, peer, way)).await;
        let Ok(opened) = opened else { return Next::End };
        let Fell { failed, failure } = match opened {
            Ok(Secured { connection, clear }) => {
                return Next::Take(Box::new(Reached {
                    host: host.name.clone(),
                    peer,
                    connection,
                    clear,
                    passed_over: std::mem::take(&mut self.passed_over),
                }));
            }
            Err(Failed::Everywhere(failed)) => {
                self.said = failed.at(host, peer);
                return Next::End;
            }
            Err(Failed::Here(fell)) => fell,
        };
        self.hear(failed.at(host, peer));
        match way {
            Way::Tls(hello) => self.learn(host, peer, failure, hello),
            Way::Clear(_) => Next::On,
        }
    }

    fn learn(&mut self, host: &'a PlannedHost, peer: SocketAddr, failure: TlsFailure, hello: Hello) -> Next {
        let step = self.want.after(failure, hello, self.taint);
        self.taint = self.taint.max(failure.taint());
        self.passed_over.push(TlsFailed {
            host: host.name.clone(),
            failure,
            hello,
        });
        if step == Step::Reduced {
            return Next::Again;
        }
        self.fell.push((host, peer, failure));
        Next::On
    }

    fn hear(&mut self, failed: OpenFailed) {
        tracing::info!(
            route.host = failed.host.as_deref(),
            peer = failed.peer.as_deref(),
            outcome = ?reason(&failed),
            "no session at this address"
        );
        if self.weight(&failed) >= self.weight(&self.said) {
            self.said = failed;
        }
    }

    /// How much a failure says: a host that spoke says more than one that cannot be reached, a failed connection that was
    /// tried more than none at all, and where clear text is allowed, what forbade it more than that TLS is not offered.
    fn weight(&self, failed: &OpenFailed) -> u8 {
        match reason(failed) {
            Some(DeferralReason::ConnectFailed) if failed.peer.is_none() => 0,
            Some(DeferralReason::ConnectFailed) => 1,
            Some(DeferralReason::ConnectionLost) => 2,
            Some(DeferralReason::TlsNotOffered) if self.want.need.allows_clear() => 2,
            _ => 3,
        }
    }
}

async fn open(walk: &Walk<'_>, host: &PlannedHost, peer: SocketAddr, way: Way) -> Result<Secured, Failed> {
    let Walk { plan, dialling, .. } = walk;
    let connection = connect::connect(peer, &dialling.timeouts)
        .await
        .map_err(Fell::unready)?;
    let this = |hello| Try {
        host: &host.name,
        want: walk.want,
        hello,
        before: walk.taint,
    };
    let mut secured = match (plan.start, way) {
        (TlsStart::Implicit, Way::Tls(hello)) => {
            secure::greet_in_tls(connection, &dialling.hello, this(hello), &dialling.tls).await?
        }
        (TlsStart::StartTls, Way::Tls(hello)) => {
            let greeted = greet::greet(connection, &dialling.hello).await.map_err(Fell::unready)?;
            secure::secure(greeted, this(hello), &dialling.tls).await?
        }
        (_, Way::Clear(reason)) => {
            let greeted = greet::greet(connection, &dialling.hello).await.map_err(Fell::unready)?;
            Secured {
                connection: greeted.stay_in_clear(),
                clear: Some(reason),
            }
        }
    };
    if let Some(login) = &plan.login {
        log_in::log_in(&mut secured.connection, login)
            .await
            .map_err(Failed::Everywhere)?;
    }
    Ok(secured)
}

const fn reason(failed: &OpenFailed) -> Option<DeferralReason> {
    match &failed.outcome {
        AttemptOutcome::Deferred { reason, .. } => Some(*reason),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
