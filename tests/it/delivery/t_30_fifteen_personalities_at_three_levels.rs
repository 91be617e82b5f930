//! Fifteen personalities of mail servers, three demands of TLS: what our log says of each delivery is what the receiver's
//! own log says, and what Postfix's own probe finds there. Prints the table of `docs/testbed.md`.

use std::fmt::Write as _;
use std::time::Duration;

use sealpost::serve::Ports;
use sealpost::smtp::client::Timeouts;
use sealpost_domain::Event;
use sealpost_domain::ids::MessageId;
use sealpost_domain::message::{Attempted, CertificateVerdict, DeferralReason, MessageEvent, TlsLevel};

use crate::docs::golden;
use crate::support::bed::{Bed, Cover, FingerLevel, Fingered, in_bed, this_test};
use crate::support::{Rig, RigOptions, draft};

const PERSONALITIES: [&str; 15] = [
    "good",
    "dane",
    "exim",
    "self",
    "expired",
    "wrong",
    "none",
    "strip",
    "old",
    "broken",
    "hang",
    "garbage",
    "eof",
    "inject",
    "opensmtpd",
];

const LEVELS: [(FingerLevel, TlsLevel, &str); 3] = [
    (FingerLevel::May, TlsLevel::Plain, "may"),
    (FingerLevel::Encrypt, TlsLevel::Encrypted, "encrypt"),
    (FingerLevel::Secure, TlsLevel::Authenticated, "secure"),
];

/// How a first attempt of ours ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ours {
    Delivered(TlsLevel, Option<CertificateVerdict>),
    Deferred(DeferralReason),
}

/// One cell of the table.
struct Cell {
    name: &'static str,
    level: FingerLevel,
    ours: Ours,
    taken: Vec<Cover>,
    fingered: Fingered,
}

#[test]
fn our_log_the_receiver_s_log_and_postfix_s_probe_agree() {
    in_bed(
        this_test!("our_log_the_receiver_s_log_and_postfix_s_probe_agree"),
        async |bed| {
            let rig = rig(&bed).await;
            let (ours, fingered) = tokio::join!(deliver(&rig), probe(&bed));
            let went_out = ours
                .iter()
                .filter(|(.., ours)| matches!(ours, Ours::Delivered(..)))
                .count();
            let taken = bed.taken_count(went_out).await;
            let mut cells = Vec::new();
            for ((name, level, ours), fingered) in ours.into_iter().zip(fingered) {
                let recipient = recipient(name, level);
                let own = taken.iter().filter(|one| one.recipient == recipient);
                let taken = own.map(|one| one.cover).collect();
                cells.push(Cell {
                    name,
                    level,
                    ours,
                    taken,
                    fingered,
                });
            }
            let table = table(&cells);
            println!("{table}");
            let wrong: Vec<String> = cells.iter().filter_map(disagreement).collect();
            assert_eq!(wrong, Vec::<String>::new());
            for name in ["hang", "garbage", "eof", "inject"] {
                let heard = bed.heard(name);
                assert!(!heard.iter().any(|command| command == "MAIL"), "{name}: {heard:?}");
            }
            assert_eq!(
                went_out,
                taken.len(),
                "nothing was taken that we do not know of: {taken:?}"
            );
            rig.engine.stop().await;
            golden::check_part("docs/testbed.md", "table of levels", &table);
        },
    );
}

fn recipient(name: &str, level: FingerLevel) -> String {
    let (_, _, word) = LEVELS.into_iter().find(|(one, ..)| *one == level).unwrap();
    format!("{word}@{name}.test")
}

async fn rig(bed: &Bed) -> Rig {
    let timeouts = Timeouts {
        handshake: Duration::from_secs(3),
        ..Timeouts::default()
    };
    let options = RigOptions {
        ports: Ports {
            timeouts,
            ..Ports::default()
        },
        configure: bed.settings(),
    };
    Rig::with(Vec::new(), options).await
}

/// Sends one message for each cell, and gives the end of its first attempt.
async fn deliver(rig: &Rig) -> Vec<(&'static str, FingerLevel, Ours)> {
    let mut sent = Vec::new();
    for name in PERSONALITIES {
        for (level, required, _) in LEVELS {
            let draft = draft(&[&recipient(name, level)]);
            let mut call = rig.call_of(rig.account, rig.key, &draft).await;
            call.tls_required = required;
            let answers = rig.engine.accounts().send(call).await.unwrap();
            sent.push((name, level, answers[0].message));
        }
    }
    rig.until_log("each first attempt has ended", |events| {
        let ended = events
            .iter()
            .filter(|one| ["MessageDelivered", "DeliveryDeferred"].contains(&&*one.event.event_type()));
        ended.count() == sent.len()
    })
    .await;
    let mut ends = Vec::new();
    for (name, level, message) in sent {
        ends.push((name, level, end(rig, message).await));
    }
    ends
}

async fn end(rig: &Rig, message: MessageId) -> Ours {
    match rig.stream(message).await.pop().unwrap().event {
        Event::Message(MessageEvent::MessageDelivered { attempted, .. }) => {
            let Attempted { tls, .. } = attempted;
            let level = tls.as_ref().map_or(TlsLevel::Plain, |tls| tls.level);
            Ours::Delivered(level, tls.map(|tls| tls.verdict))
        }
        Event::Message(MessageEvent::DeliveryDeferred { reason, .. }) => Ours::Deferred(reason),
        other => panic!("{other:?}"),
    }
}

/// Probes every cell at the same time.
async fn probe(bed: &Bed) -> Vec<Fingered> {
    let mut probes = Vec::new();
    for name in PERSONALITIES {
        let domain = format!("{name}.test");
        probes.push(async move {
            let mut found = Vec::new();
            for (level, ..) in LEVELS {
                found.push(bed.finger(level, &domain).await);
            }
            found
        });
    }
    futures_util::future::join_all(probes).await.concat()
}

/// What is wrong with a cell, if anything.
fn disagreement(cell: &Cell) -> Option<String> {
    let Cell {
        name,
        level,
        ours,
        taken,
        fingered,
    } = cell;
    let receiver_agrees = match ours {
        Ours::Delivered(TlsLevel::Plain, _) => *taken == [Cover::Clear],
        Ours::Delivered(..) => *taken == [Cover::Tls],
        Ours::Deferred(_) => taken.is_empty(),
    };
    if !receiver_agrees {
        return Some(format!(
            "{name} {level:?}: ours {ours:?}, the receiver's log says {taken:?}"
        ));
    }
    let reached_tls = matches!(ours, Ours::Delivered(TlsLevel::Encrypted | TlsLevel::Authenticated, _));
    let probe_agrees = match fingered {
        // OpenSSL speaks TLS 1.0 where one insists; our library does not.
        Fingered::Tls(version) if version == "TLSv1" => matches!(ours, Ours::Deferred(_)),
        Fingered::Verified(_) => *ours == Ours::Delivered(TlsLevel::Authenticated, Some(CertificateVerdict::Valid)),
        Fingered::NotOffered => !reached_tls && fingered.delivers(*level) == matches!(ours, Ours::Delivered(..)),
        Fingered::Tls(_) => reached_tls == fingered.delivers(*level),
        Fingered::Refused => *ours == Ours::Deferred(DeferralReason::TlsRefused),
        Fingered::Broken => *ours == Ours::Deferred(DeferralReason::TlsBroken),
    };
    (!probe_agrees).then(|| format!("{name} {level:?}: ours {ours:?}, the probe says {fingered:?}"))
}

fn table(cells: &[Cell]) -> String {
    let mut text =
        "| server | demand | our log | receiver's log | `posttls-finger` |\n|---|---|---|---|---|\n".to_owned();
    for cell in cells {
        let ours = match &cell.ours {
            Ours::Delivered(level, Some(verdict)) => format!("{level:?}, certificate {verdict:?}").to_lowercase(),
            Ours::Delivered(level, None) => format!("{level:?}").to_lowercase(),
            Ours::Deferred(reason) => format!("deferred, {reason:?}"),
        };
        let taken = match cell.taken[..] {
            [Cover::Clear] => "one, in clear",
            [Cover::Tls] => "one, in TLS",
            [] => "none",
            _ => "several",
        };
        let fingered = match &cell.fingered {
            Fingered::NotOffered => "no STARTTLS".to_owned(),
            Fingered::Refused => "STARTTLS refused".to_owned(),
            Fingered::Broken => "handshake broken".to_owned(),
            Fingered::Tls(version) => version.clone(),
            Fingered::Verified(version) => format!("{version}, verified"),
        };
        let level = format!("{:?}", cell.level).to_lowercase();
        writeln!(text, "| {} | {level} | {ours} | {taken} | {fingered} |", cell.name).unwrap();
    }
    text
}
