//! Mail finds its way by the DNS alone: zones signed by Knot, validated by Unbound, and mail hosts behind them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use sealpost::actors::{Attempt, OpenFailed, RoutePlan, Session};
use sealpost::config::Config;
use sealpost::delivery::mx::{DnsConfig, Ipv6Use};
use sealpost::serve::{Ports, WrapAttempt};
use sealpost::smtp::server::{Personality, Running};
use sealpost_domain::Event;
use sealpost_domain::message::{Attempted, BounceKind, DeferralReason, MessageEvent, Reply};
use sealpost_domain::tls_rule::TlsWant;

use crate::support::{Inbox, NameWorld, Rig, RigOptions};

const ZONE: &str = "
prefers MX 20 mx2.prefers
prefers MX 10 mx1.prefers
mx1.prefers A HOST1
mx2.prefers A HOST2
backup MX 10 down.backup
backup MX 20 up.backup
down.backup A HOST9
up.backup A HOST2
bare A HOST1
nullmx MX 0 .
nullmx A HOST1
alias CNAME prefers
loopback MX 10 mx.loopback
mx.loopback A HOST1
six MX 10 mx.six
mx.six AAAA ::1
dead MX 10 down.backup
fleeting 0 MX 10 mx1.prefers
";

struct World {
    rig: Rig,
    first: Arc<Inbox>,
    second: Arc<Inbox>,
    tries: Arc<AtomicUsize>,
    _names: NameWorld,
    _hosts: Vec<Running>,
}

/// Counts how often somebody looks for a session.
struct Tries(Arc<dyn Attempt>, Arc<AtomicUsize>);

impl Tries {
    fn wrap(count: &Arc<AtomicUsize>) -> WrapAttempt {
        let count = count.clone();
        Arc::new(move |attempt| Arc::new(Self(attempt, count.clone())))
    }
}

#[async_trait]
impl Attempt for Tries {
    async fn open(&self, plan: &RoutePlan, want: TlsWant) -> Result<Box<dyn Session>, OpenFailed> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.open(plan, want).await
    }
}

impl World {
    async fn start(change: impl Fn(&mut DnsConfig) + Send + Sync + 'static) -> Self {
        let fifty = (10..60).map(|n| format!("many MX {n} mx{n}.many\nmx{n}.many A HOST1\n"));
        let names = NameWorld::start(&(ZONE.to_owned() + &fifty.collect::<String>())).await;
        let (first, second) = (Arc::new(Inbox::default()), Arc::new(Inbox::default()));
        let tries = Arc::new(AtomicUsize::new(0));
        let mut hosts = Vec::new();
        for (n, inbox) in [(1, &first), (2, &second)] {
            let personality = Personality::plain(&format!("host{n}.test"));
            hosts.push(names.receiver(names.address(n), personality, inbox).await);
        }
        let mut dns = DnsConfig {
            ipv6: Ipv6Use::Never,
            ..names.dns()
        };
        change(&mut dns);
        if dns.ipv6 != Ipv6Use::Never {
            let six = Personality::plain("six.test");
            hosts.push(names.receiver(std::net::Ipv6Addr::LOCALHOST, six, &second).await);
        }
        let configure = move |config: &mut Config| {
            config.delivery.by_mx = true;
            config.dns = dns.clone();
        };
        let options = RigOptions {
            ports: Ports {
                mx_port: names.mail_port,
                wrap_attempt: Tries::wrap(&tries),
                ..Ports::default()
            },
            configure: Box::new(configure),
        };
        Self {
            rig: Rig::with(Vec::new(), options).await,
            first,
            second,
            tries,
            _names: names,
            _hosts: hosts,
        }
    }

    /// Sends to `ann@DOMAIN.test`, and gives the end of her message.
    async fn end(&self, domain: &str, last: &str) -> MessageEvent {
        let sent = self.rig.send(&[&format!("ann@{domain}.test")]).await.unwrap();
        self.rig.until(sent[0].message, last).await;
        match self.rig.stream(sent[0].message).await.pop().unwrap().event {
            Event::Message(event) => event,
            other => panic!("{other:?}"),
        }
    }

    async fn delivered(&self, domain: &str) -> Attempted {
        match self.end(domain, "MessageDelivered").await {
            MessageEvent::MessageDelivered { attempted, .. } => attempted,
            other => panic!("{domain}: {other:?}"),
        }
    }

    async fn bounced(&self, domain: &str) -> (BounceKind, Reply) {
        match self.end(domain, "MessageBounced").await {
            MessageEvent::MessageBounced { kind, reply, .. } => (kind, reply.unwrap()),
            other => panic!("{domain}: {other:?}"),
        }
    }

    async fn deferred(&self, domain: &str) -> DeferralReason {
        match self.end(domain, "DeliveryDeferred").await {
            MessageEvent::DeliveryDeferred { reason, .. } => reason,
            other => panic!("{domain}: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_goes_to_the_preferred_host_and_to_the_next_when_that_is_down() {
    let world = World::start(|_| {}).await;
    for (domain, host) in [
        ("prefers", "mx1.prefers.test"),
        ("alias", "mx1.prefers.test"),
        ("bare", "bare.test"),
        ("fleeting", "mx1.prefers.test"),
        ("many", "mx10.many.test"),
        ("plain", "mx.plain.test"),
    ] {
        assert_eq!(world.delivered(domain).await.host.as_deref(), Some(host), "{domain}");
    }
    assert_eq!((world.first.count(), world.second.count()), (6, 0));
    let backup = world.delivered("backup").await;
    assert_eq!(backup.host.as_deref(), Some("up.backup.test"));
    assert_eq!(world.second.count(), 1);
    world.rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_dns_says_for_good_bounces_and_what_it_does_not_say_waits() {
    let world = World::start(|_| {}).await;
    for (domain, kind, code, enhanced) in [
        ("nullmx", BounceKind::Hard, 556, "5.1.10"),
        ("gone", BounceKind::Hard, 550, "5.1.2"),
    ] {
        let (its_kind, reply) = world.bounced(domain).await;
        assert_eq!((its_kind, reply.code), (kind, code), "{domain}");
        assert_eq!(reply.enhanced.unwrap().to_string(), enhanced, "{domain}");
    }
    assert_eq!(world.deferred("servfail").await, DeferralReason::DnsFailed);
    assert_eq!(world.deferred("bogus").await, DeferralReason::DnsFailed);
    assert_eq!((world.first.count(), world.second.count()), (0, 0));
    world.rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_zone_leads_mail_to_our_own_network() {
    let world = World::start(|dns| dns.allow_private = false).await;
    for domain in ["loopback", "bare"] {
        let (kind, reply) = world.bounced(domain).await;
        assert_eq!(kind, BounceKind::Soft, "nothing is known of the mailbox");
        assert_eq!(reply.enhanced.unwrap().to_string(), "5.4.4");
    }
    assert_eq!(world.first.count(), 0);
    world.rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_of_ipv6_alone_is_reached() {
    let world = World::start(|dns| dns.ipv6 = Ipv6Use::Always).await;
    let attempted = world.delivered("six").await;
    assert!(attempted.peer.unwrap().starts_with("[::1]:"));
    assert_eq!(world.second.count(), 1);
    world.rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_site_costs_a_probe_and_its_mail_goes_when_it_is_back() {
    let mut world = World::start(|_| {}).await;
    for _ in 0..3 {
        assert_eq!(world.deferred("dead").await, DeferralReason::ConnectFailed);
    }
    assert_eq!(world.tries.load(Ordering::SeqCst), 3);
    let to: Vec<String> = (0..50).map(|n| format!("ann{n}@dead.test")).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    for sent in world.rig.send(&to).await.unwrap() {
        world.rig.until(sent.message, "DeliveryDeferred").await;
    }
    assert_eq!(world.tries.load(Ordering::SeqCst), 3, "it did not answer just now");
    world.rig.clock.advance(Duration::from_secs(6));
    for sent in world.rig.send(&to).await.unwrap() {
        world.rig.until(sent.message, "DeliveryDeferred").await;
    }
    assert_eq!(world.tries.load(Ordering::SeqCst), 4, "one probe for all of them");
    let others = world.delivered("prefers").await;
    assert_eq!(others.host.as_deref(), Some("mx1.prefers.test"));
    let inbox = Arc::new(Inbox::default());
    let names = &world._names;
    let back = names
        .receiver(names.address(9), Personality::plain("back.test"), &inbox)
        .await;
    world._hosts.push(back);
    world.rig.clock.advance(Duration::from_secs(70));
    assert_eq!(inbox.wait_for(103).await.len(), 103);
    world.rig.engine.stop().await;
}
