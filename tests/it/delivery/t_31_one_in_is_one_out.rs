//! SMTP smuggling through the whole program: whatever ends of data a client writes, one message in is one message out at
//! Postfix, at Exim and at our own receiver, by the counts of the receivers.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::submission::smuggling::VARIANTS;
use crate::submission::world::{logged_in, spawn_with};
use crate::support::bed::{Bed, in_bed, this_test};
use crate::support::{Sealpost, SendingKey, v1_mail};

/// Postfix of Debian, Exim, and our own receiver behind a route.
const RECEIVERS: [&str; 3] = ["good.test", "exim.test", "inbox.test"];

/// What follows an end of data that is none: a whole message to somebody else.
fn smuggled(domain: &str) -> String {
    format!(
        "MAIL FROM:<shop@example.org>\r\nRCPT TO:<victim@{domain}>\r\nDATA\r\nFrom: shop@example.org\r\n\r\nsmuggled\r\n"
    )
}

/// A door and what came of a mail there: the id, or nothing where it was refused.
#[derive(Debug, Clone)]
struct Sent {
    variant: &'static str,
    door: &'static str,
    domain: &'static str,
    recipient: String,
    taken: Option<String>,
}

#[test]
fn whatever_ends_a_content_one_message_in_is_one_message_out() {
    in_bed(
        this_test!("whatever_ends_a_content_one_message_in_is_one_message_out"),
        async |bed| {
            a_careless_client_smuggles(&bed).await;
            let sealpost = spawn_with(bed.settings()).await;
            let key = sealpost.sending_key().await;
            let mut sent = Vec::new();
            for (number, variant) in VARIANTS.into_iter().enumerate() {
                sent.extend(by_submission(&sealpost, &key, number, variant).await);
                sent.extend(by_api(&key, number, variant).await);
            }
            let taken: Vec<&Sent> = sent.iter().filter(|one| one.taken.is_some()).collect();
            for one in &taken {
                sealpost.until(one.taken.as_ref().unwrap(), "MessageDelivered").await;
            }
            let counts = counts(&bed, &sealpost, taken.len()).await;
            println!("{}", table(&sent, &counts));
            for one in &sent {
                let expected = usize::from(one.taken.is_some());
                let came = counts.get(&one.recipient).copied().unwrap_or(0);
                assert_eq!(came, expected, "{one:?}");
            }
            let all: usize = counts.values().sum();
            assert_eq!(all, taken.len(), "nothing else came: {counts:?}");
            assert!(
                taken.iter().filter(|one| one.door == "API").count() >= 30,
                "most of them come in by the API"
            );
            sealpost.stop().await;
        },
    );
}

/// The bed can show it: Debian's Postfix takes two messages from a client that sends such a content as it is.
async fn a_careless_client_smuggles(bed: &Bed) {
    let before = bed.taken().len();
    let mut stream = TcpStream::connect("127.0.0.2:25").await.unwrap();
    let content = format!("Subject: one\r\n\r\nbody\n.\n{}.\r\nQUIT\r\n", smuggled("good.test"));
    let said = "EHLO careless.test\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<first@good.test>\r\nDATA\r\n";
    stream.write_all(format!("{said}{content}").as_bytes()).await.unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard.matches("queued as").count(), 2, "{heard}");
    bed.taken_count(before + 2).await;
}

async fn by_submission(sealpost: &Sealpost, key: &SendingKey, number: usize, variant: &'static str) -> Vec<Sent> {
    let mut client = logged_in(sealpost, &key.0.key).await;
    let mut sent = Vec::new();
    for domain in RECEIVERS {
        let recipient = format!("submission{number}@{domain}");
        let content = format!(
            "From: shop@example.org\r\nSubject: one\r\n\r\nbody{variant}{}",
            smuggled(domain)
        );
        let heard = client.submit(&[&recipient], content.as_bytes()).await;
        let taken = heard.0.starts_with("250 ").then(|| heard.ids().remove(0));
        if taken.is_none() {
            heard.starts("554 5.6.0 ");
        }
        sent.push(Sent {
            variant,
            door: "submission",
            domain,
            recipient,
            taken,
        });
    }
    sent
}

async fn by_api(key: &SendingKey, number: usize, variant: &'static str) -> Vec<Sent> {
    let mut sent = Vec::new();
    for domain in RECEIVERS {
        let recipient = format!("api{number}@{domain}");
        let mut mail = v1_mail(&[&recipient]);
        mail["text"] = format!("body{variant}{}", smuggled(domain)).into();
        let answer = key.0.post("/v1/messages", &mail).await;
        let id = answer.body["messages"][0]["id"].as_str().map(str::to_owned);
        assert_eq!(id.is_some(), answer.status == 202, "{}", answer.body);
        sent.push(Sent {
            variant,
            door: "API",
            domain,
            recipient,
            taken: id,
        });
    }
    sent
}

/// How often each recipient got something, by the receivers; what the careless client sent is left out.
async fn counts(bed: &Bed, sealpost: &Sealpost, count: usize) -> BTreeMap<String, usize> {
    let own = sealpost.inbox.by_recipient();
    let others = count - own.values().sum::<usize>();
    let mut counts = own;
    for taken in bed.taken_count(others + 2).await {
        *counts.entry(taken.recipient).or_default() += 1;
    }
    for recipient in ["first@good.test", "victim@good.test"] {
        let left = counts.remove(recipient).unwrap() - 1;
        assert_eq!(left, 0, "{recipient} got more than the careless client sent");
    }
    counts
}

fn table(sent: &[Sent], counts: &BTreeMap<String, usize>) -> String {
    let mut text = "end of data | door | Postfix | Exim | ours\n".to_owned();
    for three in sent.chunks(RECEIVERS.len()) {
        write!(text, "{:?} | {}", three[0].variant, three[0].door).unwrap();
        for one in three {
            let came = counts.get(&one.recipient).copied().unwrap_or(0);
            let what = if one.taken.is_some() { "1 in" } else { "refused" };
            write!(text, " | {what}, {came} out").unwrap();
        }
        text.push('\n');
        assert!(three.iter().map(|one| one.domain).eq(RECEIVERS));
    }
    text
}
