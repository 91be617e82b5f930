//! A tenth of two hundred destinations misbehaves in every way that is known: the others get their mail as fast as if all
//! behaved, and the memory that it costs is bounded. Prints both.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sealpost::config::{Config, RouteConfig};
use sealpost::smtp::server::Personality;

use crate::support::{Ending, Inbox, RawServer, Rig, RigOptions};

const OTHERS: usize = 180;
const HOSTILE: usize = 20;
/// Mail for each of the others.
const EACH: usize = 5;
/// Mail for each hostile one: more than its connections hold.
const EACH_HOSTILE: usize = 12;
/// Pairs of a run with them and one without.
const PAIRS: usize = 7;
/// The least part of the undisturbed rate that is left to the others, by the median of the pairs.
const RATE_LEFT_MIN: f64 = 0.9;
/// What the hostile ones may cost, in KiB of resident memory.
const KIB_MORE_MAX: u64 = 64 * 1_024;

const MISBEHAVIOURS: [Ending; 18] = [
    Ending::Silent,
    Ending::ByteASecond,
    Ending::GarbageGreeting,
    Ending::HugeReply,
    Ending::EndlessReply,
    Ending::TlsSilent,
    Ending::TlsGarbage,
    Ending::TlsEof,
    Ending::TlsInjected,
    Ending::TlsRefused,
    Ending::ResetAtData,
    Ending::SilentAtData,
    Ending::GarbageAtData,
    Ending::ResetAfterDot,
    Ending::SilentAfterDot,
    Ending::GarbageAfterDot,
    Ending::HugeReplyAfterDot,
    Ending::EndlessReplyAfterDot,
];

/// What one run showed.
struct Run {
    took: Duration,
    peak_kib: u64,
}

/// The most that was resident since [`forget_the_peak`].
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn forget_the_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

/// Sends to two hundred destinations, of which twenty end their dialogues in these ways; how long the others took.
async fn run(endings: &[Ending]) -> Run {
    let mut hostile = Vec::new();
    for number in 0..HOSTILE {
        hostile.push(RawServer::hanging(endings[number % endings.len()]).await);
    }
    let ports: Vec<u16> = hostile.iter().map(RawServer::port).collect();
    let configure = move |config: &mut Config| {
        config.delivery.drain_s = 1;
        for (number, port) in ports.iter().enumerate() {
            let route = RouteConfig::to(&format!("h{number}.test"), "127.0.0.1", *port);
            config.routes.push(route);
        }
    };
    let options = RigOptions {
        configure: Box::new(configure),
        ..RigOptions::default()
    };
    let inbox = Arc::new(Inbox::default());
    let names: Vec<String> = (0..OTHERS).map(|number| format!("d{number}.test")).collect();
    let domains = names
        .iter()
        .map(|name| (name.as_str(), Personality::plain(name), inbox.clone()));
    let rig = Rig::with(domains.collect(), options).await;

    forget_the_peak();
    for round in 0..EACH_HOSTILE {
        send_round(&rig, round, (0..HOSTILE).map(|number| format!("h{number}.test"))).await;
    }
    let began = Instant::now();
    for round in 0..EACH {
        send_round(&rig, round, names.iter().cloned()).await;
    }
    inbox.wait_for(OTHERS * EACH).await;
    let run = Run {
        took: began.elapsed(),
        peak_kib: peak_kib(),
    };
    assert!(
        inbox.by_recipient().values().all(|count| *count == 1),
        "nothing came twice"
    );
    for server in &hostile {
        server.break_off();
    }
    rig.engine.stop().await;
    run
}

async fn send_round(rig: &Rig, round: usize, domains: impl Iterator<Item = String>) {
    let to: Vec<String> = domains.map(|domain| format!("b{round}@{domain}")).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    assert_eq!(rig.send(&to).await.unwrap().len(), to.len());
}

/// Runs pairs, one of each with these and one without, the first one in turn; prints and judges them.
async fn judge(what: &str, endings: &[Ending]) {
    let (mut ratios, mut more, mut peak) = (Vec::new(), Vec::new(), 0);
    let mut took = (Duration::ZERO, Duration::ZERO);
    for pair in 0..PAIRS {
        let (with, without) = if pair % 2 == 0 {
            let with = run(endings).await;
            (with, run(&[Ending::Accept]).await)
        } else {
            let without = run(&[Ending::Accept]).await;
            (run(endings).await, without)
        };
        took = (with.took, without.took);
        ratios.push(without.took.as_secs_f64() / with.took.as_secs_f64());
        peak = peak.max(with.peak_kib);
        more.push(with.peak_kib.saturating_sub(without.peak_kib));
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[PAIRS / 2];
    let most = more.into_iter().max().unwrap();
    println!(
        "{what}: the others keep {:.0} % of the undisturbed rate ({:.0} to {:.0} %; last {took:.1?} beside, without), at most \
         {most} KiB more resident, {peak} KiB in all",
        median * 100.0,
        ratios[0] * 100.0,
        ratios[PAIRS - 1] * 100.0,
    );
    assert!(median >= RATE_LEFT_MIN, "{what}: {ratios:?}");
    assert!(most <= KIB_MORE_MAX, "{what}: {most} KiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_others_keep_their_rate_beside_a_tenth_that_misbehaves() {
    // What the first run takes from the system once and for all is nobody's cost.
    run(&[Ending::Accept]).await;
    judge("all misbehaviours together", &MISBEHAVIOURS).await;
    if std::env::var_os("SEALPOST_FULL").is_some() {
        for ending in MISBEHAVIOURS {
            judge(&format!("{ending:?}"), &[ending]).await;
        }
    }
}
