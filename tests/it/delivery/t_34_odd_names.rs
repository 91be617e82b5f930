//! What the DNS can do to us: failures, forgeries, crowds of mail hosts, chains of aliases, answers that last no time. Each
//! has an outcome with a name, and costs few questions and few connections. Prints the table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use sealpost::config::Config;
use sealpost::delivery::mx::{DnsConfig, Ipv6Use};
use sealpost::serve::Ports;
use sealpost::smtp::server::Personality;
use sealpost_domain::Event;
use sealpost_domain::ids::MessageId;
use sealpost_domain::message::MessageEvent;
use tokio::net::TcpListener;

use crate::support::{Inbox, NameWorld, Rig, RigOptions};

/// Messages for each domain: what each of them cost alone would be seen.
const EACH: usize = 20;
/// Links of aliases that are always followed.
const LINKS_MAX: usize = 8;
/// Connections that one attempt may try.
const CONNECTIONS_EACH: usize = 10;

/// A domain, what becomes of its mail, and what all of that may cost.
struct Odd {
    domain: &'static str,
    outcome: &'static str,
    questions_max: u64,
    connections_max: usize,
}

const ODD: [Odd; 11] = [
    odd("servfail", "deferred, DnsFailed", 8, 0),
    odd("bogus", "deferred, DnsFailed", 8, 0),
    odd("nullmx", "bounced, 556 5.1.10", 8, 0),
    odd("gone", "bounced, 550 5.1.2", 8, 0),
    odd("without-address", "bounced, 550 5.4.4", 8, 0),
    odd("round", "deferred, DnsFailed", 24, 0),
    odd("link0", "delivered", 24, 0),
    odd("long0", "deferred, DnsFailed", 24, 0),
    odd("fleeting", "delivered", 8, 0),
    odd("many", "delivered", 64, 0),
    odd("crowd", "deferred, ProtocolError", 64, EACH * CONNECTIONS_EACH),
];

const fn odd(domain: &'static str, outcome: &'static str, questions_max: u64, connections_max: usize) -> Odd {
    Odd {
        domain,
        outcome,
        questions_max,
        connections_max,
    }
}

/// `many` has fifty mail hosts that take mail, `crowd` fifty that do not; `link0` leads over as many links as are followed
/// to `good`, `long0` over many more.
fn zone() -> String {
    let mut zone = "
good MX 10 mx.good
mx.good A HOST1
nullmx MX 0 .
without-address MX 10 gone
round CNAME about
about CNAME round
fleeting 0 MX 10 mx.fleeting
mx.fleeting 0 A HOST1
"
    .to_owned();
    for (name, links) in [("link", LINKS_MAX), ("long", 3 * LINKS_MAX)] {
        for link in 0..links {
            let to = if link + 1 == links {
                "good".to_owned()
            } else {
                format!("{name}{}", link + 1)
            };
            writeln!(zone, "{name}{link} CNAME {to}").unwrap();
        }
    }
    for number in 10..60 {
        writeln!(zone, "many MX {number} mx{number}.many\nmx{number}.many A HOST1").unwrap();
        writeln!(zone, "crowd MX {number} mx{number}.crowd\nmx{number}.crowd A HOST2").unwrap();
    }
    zone
}

/// A server that hangs up at once; how often somebody came.
async fn hanging_up(names: &NameWorld) -> Arc<AtomicUsize> {
    let listener = TcpListener::bind((names.address(2), names.mail_port)).await.unwrap();
    let came = Arc::new(AtomicUsize::new(0));
    let counted = came.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            drop(stream.try_write(b"go away\r\n"));
        }
    });
    came
}

fn questions(metrics: &PrometheusHandle) -> u64 {
    let text = metrics.render();
    let lines = text
        .lines()
        .filter(|line| line.starts_with("sealpost_dns_questions_total{"));
    lines
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        .sum()
}

/// How the first attempt of a message ended.
async fn outcome(rig: &Rig, message: MessageId) -> Option<String> {
    let stream = rig.stream(message).await;
    stream.into_iter().find_map(|recorded| match recorded.event {
        Event::Message(MessageEvent::MessageDelivered { .. }) => Some("delivered".to_owned()),
        Event::Message(MessageEvent::DeliveryDeferred { reason, .. }) => Some(format!("deferred, {reason:?}")),
        Event::Message(MessageEvent::MessageBounced { reply, .. }) => {
            let reply = reply.unwrap();
            Some(format!("bounced, {} {}", reply.code, reply.enhanced.unwrap()))
        }
        _ => None,
    })
}

/// Sends to a domain, and counts how the messages ended.
async fn outcomes(rig: &Rig, domain: &str) -> BTreeMap<String, usize> {
    let to: Vec<String> = (0..EACH).map(|number| format!("a{number}@{domain}.test")).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let before = rig.events().await.len();
    let sent = rig.send(&to).await.unwrap();
    rig.until_log(&format!("each first attempt for {domain} has ended"), |events| {
        let ends = ["MessageDelivered", "DeliveryDeferred", "MessageBounced"];
        let new = events.iter().skip(before);
        new.filter(|one| ends.contains(&&*one.event.event_type())).count() >= EACH
    })
    .await;
    let mut outcomes = BTreeMap::new();
    for one in sent {
        let end = outcome(rig, one.message).await.unwrap();
        *outcomes.entry(end).or_default() += 1;
    }
    outcomes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_dns_does_has_a_name_and_a_bound() {
    let metrics = PrometheusBuilder::new().install_recorder().unwrap();
    let names = NameWorld::start(&zone()).await;
    let inbox = Arc::new(Inbox::default());
    let _host = names
        .receiver(names.address(1), Personality::plain("mx.test"), &inbox)
        .await;
    let came = hanging_up(&names).await;
    let dns = DnsConfig {
        ipv6: Ipv6Use::Never,
        ..names.dns()
    };
    let options = RigOptions {
        ports: Ports {
            mx_port: names.mail_port,
            ..Ports::default()
        },
        configure: Box::new(move |config: &mut Config| {
            config.delivery.by_mx = true;
            config.dns = dns.clone();
        }),
    };
    let rig = Rig::with(Vec::new(), options).await;
    let mut table = format!("domain | outcome of {EACH} messages | questions | connections in vain\n");
    let mut wrong = Vec::new();
    for odd in ODD {
        let before = (questions(&metrics), came.load(Ordering::SeqCst));
        let outcomes = outcomes(&rig, odd.domain).await;
        let asked = questions(&metrics) - before.0;
        let connections = came.load(Ordering::SeqCst) - before.1;
        writeln!(table, "{} | {outcomes:?} | {asked} | {connections}", odd.domain).unwrap();
        let named = outcomes.keys().eq([odd.outcome]);
        if !named || asked == 0 || asked > odd.questions_max || connections > odd.connections_max {
            wrong.push(odd.domain);
        }
    }
    println!("{table}");
    assert_eq!(wrong, Vec::<&str>::new(), "{table}");
    assert_eq!(inbox.wait_for(3 * EACH).await.len(), 3 * EACH);
    rig.engine.stop().await;
}
