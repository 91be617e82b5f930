//! Walks over servers on loopback, one address each, all at one port.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::RootCertStore;
use sealpost_domain::message::TlsLevel;
use sealpost_domain::tls_rule::AccountTls;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use super::*;
use crate::actors::{Addresses, Authenticity, Login, SiteKey, TlsDemand};
use crate::smtp::client::{Timeouts, TlsClient};
use crate::smtp::wire::HelloName;

/// What a server does.
#[derive(Clone, Copy)]
enum Manner {
    /// It says this first.
    Greets(&'static str),
    /// It closes at once.
    Closes,
    /// Nobody listens there.
    Absent,
}

const FINE: Manner = Manner::Greets("220 ready");

/// A host with its preference, and what its server does.
struct World {
    plan: RoutePlan,
    reached: Vec<Arc<AtomicUsize>>,
    _servers: JoinSet<()>,
}

impl World {
    async fn of(hosts: &[(u16, Manner)]) -> Self {
        let (listeners, port) = loop {
            if let Some(found) = listeners(hosts).await {
                break found;
            }
        };
        let mut servers = JoinSet::new();
        let mut reached = Vec::new();
        for (listener, (_, manner)) in listeners.into_iter().zip(hosts) {
            let count = Arc::new(AtomicUsize::new(0));
            reached.push(count.clone());
            if !matches!(manner, Manner::Absent) {
                servers.spawn(serve(listener, *manner, count));
            }
        }
        let planned = hosts.iter().enumerate().map(|(n, (preference, _))| PlannedHost {
            name: format!("mx{n}.test"),
            preference: *preference,
            addresses: Addresses::Known(vec![address(n).into()]),
            authenticity: Authenticity::Insecure,
        });
        let plan = RoutePlan {
            site: SiteKey::of_hosts(["mx.test"].into_iter(), port),
            hosts: planned.collect(),
            port,
            tls: TlsDemand::Opportunistic,
            start: TlsStart::StartTls,
            login: None,
            authenticity: Authenticity::Insecure,
            valid_until: None,
        };
        Self {
            plan,
            reached,
            _servers: servers,
        }
    }

    async fn walk(&self) -> Result<String, OpenFailed> {
        let want = TlsWant {
            need: TlsNeed::strictest(AccountTls::Default, TlsLevel::Plain, self.plan.tls.level()),
            age: MailAge::Young,
        };
        let dialling = Dialling {
            hello: HelloName::parse("us.example").unwrap(),
            timeouts: Timeouts {
                connect: Duration::from_secs(2),
                greeting: Duration::from_secs(2),
                ..Timeouts::default()
            },
            tls: TlsClient::new(RootCertStore::empty()),
            seed: Arc::new(|| 7),
        };
        walk(&self.plan, want, &dialling).await.map(|reached| reached.host)
    }

    /// How many connections each server has seen.
    fn connections(&self) -> Vec<usize> {
        self.reached.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }
}

fn address(n: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 43, u8::try_from(n + 1).unwrap())
}

/// A socket for each host at one port; `None` when that port is taken at one of the addresses.
async fn listeners(hosts: &[(u16, Manner)]) -> Option<(Vec<TcpListener>, u16)> {
    let mut listeners = Vec::new();
    let mut port = 0;
    for (n, _) in hosts.iter().enumerate() {
        let listener = TcpListener::bind((address(n), port)).await.ok()?;
        port = listener.local_addr().unwrap().port();
        listeners.push(listener);
    }
    Some((listeners, port))
}

async fn serve(listener: TcpListener, manner: Manner, count: Arc<AtomicUsize>) {
    let mut dialogues = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        count.fetch_add(1, Ordering::Relaxed);
        if let Manner::Greets(greeting) = manner {
            dialogues.spawn(talk(stream, greeting));
        }
    }
}

async fn talk(stream: TcpStream, greeting: &'static str) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    let mut answer = format!("{greeting}\r\n");
    while stream.get_mut().write_all(answer.as_bytes()).await.is_ok() {
        line.clear();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        let code = if line.starts_with("QUIT") {
            "221 bye"
        } else {
            "250 mx.test"
        };
        answer = format!("{code}\r\n");
    }
}

fn deferred(failed: &OpenFailed) -> (DeferralReason, Option<u16>) {
    match &failed.outcome {
        AttemptOutcome::Deferred { reason, reply } => (*reason, reply.as_ref().map(|reply| reply.code)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_preferred_host_is_taken_and_no_other_is_troubled() {
    let world = World::of(&[(20, FINE), (10, FINE), (30, FINE)]).await;
    assert_eq!(world.walk().await.unwrap(), "mx1.test");
    assert_eq!(world.connections(), [0, 1, 0]);
}

#[tokio::test]
async fn whatever_keeps_a_host_from_talking_the_next_one_is_tried() {
    for bad in [
        Manner::Absent,
        Manner::Closes,
        Manner::Greets("554 no mail from you"),
        Manner::Greets("421 too many connections"),
        Manner::Greets("gibberish"),
    ] {
        let world = World::of(&[(10, bad), (20, FINE)]).await;
        assert_eq!(world.walk().await.unwrap(), "mx1.test");
    }
}

#[tokio::test]
async fn when_all_fail_the_message_is_told_what_says_most() {
    let busy = Manner::Greets("421 too many connections");
    for hosts in [[(10, busy), (20, Manner::Absent)], [(10, Manner::Absent), (20, busy)]] {
        let world = World::of(&hosts).await;
        let failed = world.walk().await.unwrap_err();
        assert_eq!(deferred(&failed), (DeferralReason::Reply, Some(421)));
        let at = hosts
            .iter()
            .position(|(_, manner)| matches!(manner, Manner::Greets(_)))
            .unwrap();
        assert_eq!(failed.peer.unwrap(), format!("{}:{}", address(at), world.plan.port));
    }
    let mut world = World::of(&[(10, FINE), (20, Manner::Absent)]).await;
    world.plan.tls = TlsDemand::Encrypted;
    let failed = world.walk().await.unwrap_err();
    assert_eq!(deferred(&failed), (DeferralReason::TlsNotOffered, None));
}

#[tokio::test]
async fn an_attempt_tries_no_more_than_ten_connections() {
    let world = World::of(&[(10, Manner::Greets("554 no")); 12]).await;
    world.walk().await.unwrap_err();
    assert_eq!(world.connections().iter().sum::<usize>(), 10);
}

#[tokio::test]
async fn a_smarthost_that_does_not_let_us_in_is_asked_once() {
    let mut world = World::of(&[(10, FINE), (20, FINE)]).await;
    let password = Zeroizing::new("open sesame".to_owned());
    world.plan.login = Some(Arc::new(Login::new("ann", password)));
    let failed = world.walk().await.unwrap_err();
    assert_eq!(
        deferred(&failed),
        (DeferralReason::LoginFailed, None),
        "no password in clear"
    );
    assert_eq!(world.connections(), [1, 0]);
}
