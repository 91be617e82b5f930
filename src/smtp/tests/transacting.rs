//! Transactions that end with an answer: accepted, or refused at one of the stages.

use super::mailroom::{CONTENT, Mailroom, envelope, ready, receiver, send, send_at_once};
use super::script::{Script, Step};
use crate::smtp::client::{Direction, Envelope, Refusal, Stage, TransactionOutcome, Unsupported};
use crate::smtp::server::{Personality, Receiver, RecipientRule};
use crate::smtp::wire::{AddressForm, ForwardPath, MailParameters, Reply, StuffedContent, TlsRequirement};
use std::sync::Arc;

fn greeting(extensions: &'static str) -> Vec<Step> {
    vec![Step::Say("220 mx.test\r\n"), Step::Hear("EHLO"), Step::Say(extensions)]
}

/// Sends one message, envelope and content apart, to a server without extensions that goes on like this.
async fn outcome(steps: Vec<Step>) -> TransactionOutcome {
    let script = Script::start(greeting("250 mx.test\r\n").into_iter().chain(steps).collect()).await;
    send(&mut ready(script.addr).await, "ann@b.test").await
}

#[track_caller]
fn refusal(outcome: &TransactionOutcome) -> (Stage, &Reply) {
    match outcome {
        TransactionOutcome::RefusedBeforeData(Refusal { stage, reply })
        | TransactionOutcome::RefusedAtData(Refusal { stage, reply })
        | TransactionOutcome::RefusedAfterData(Refusal { stage, reply }) => (*stage, reply),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_message_arrives_as_it_was_sent() {
    let (running, mailroom) = receiver(Personality::plain("mx.test")).await;
    let mut connection = ready(running.addr()).await;
    let outcome = send(&mut connection, "ann@b.test").await;
    assert!(
        matches!(&outcome, TransactionOutcome::Accepted(reply) if reply.code() == 250),
        "{outcome:?}"
    );
    let received = mailroom.received.lock();
    assert_eq!(received[0].content, CONTENT);
    assert_eq!(received[0].reverse_path.as_str(), "bounce@sender.test");
    assert_eq!(received[0].forward_paths, [ForwardPath::parse("ann@b.test").unwrap()]);
}

#[tokio::test]
async fn a_kept_connection_carries_message_after_message() {
    let (running, mailroom) = receiver(Personality::plain("mx.test")).await;
    let mut connection = ready(running.addr()).await;
    for recipient in ["a@b.test", "b@b.test", "c@b.test"] {
        assert!(connection.is_usable().await);
        assert!(matches!(
            send_at_once(&mut connection, recipient).await,
            TransactionOutcome::Accepted(_)
        ));
    }
    connection.finish().await;
    assert_eq!(mailroom.received.lock().len(), 3);
}

#[tokio::test]
async fn a_large_content_arrives_whole() {
    let (running, mailroom) = receiver(Personality::plain("mx.test")).await;
    let large = [
        b".line of text, seventy or so bytes wide, to fill some socket buffers\r\n".repeat(40_000),
        b"end".to_vec(),
    ]
    .concat();
    let (head, tail) = large.split_at(1_000_000);
    let content = StuffedContent::new(&[head, tail]).unwrap();
    let outcome = ready(running.addr())
        .await
        .mail_rcpt_data(&envelope("a@b.test"), &content)
        .await;
    assert!(matches!(outcome, TransactionOutcome::Accepted(_)), "{outcome:?}");
    assert_eq!(
        mailroom.received.lock()[0].content,
        [large.as_slice(), b"\r\n"].concat()
    );
}

#[tokio::test]
async fn a_refused_recipient_leaves_the_connection_usable() {
    let rule = RecipientRule::Reject(550, "5.1.1 No such user".to_owned());
    let (running, _) = receiver(Personality {
        recipients: rule,
        ..Personality::plain("mx.test")
    })
    .await;
    let mut connection = ready(running.addr()).await;
    for _ in 0..2 {
        let outcome = send(&mut connection, "a@b.test").await;
        assert!(
            matches!(outcome, TransactionOutcome::RefusedBeforeData(_)),
            "{outcome:?}"
        );
        let (stage, reply) = refusal(&outcome);
        assert_eq!((stage, reply.code()), (Stage::Rcpt, 550));
        assert_eq!(reply.enhanced().unwrap().to_string(), "5.1.1");
        let outcome = send_at_once(&mut connection, "b@b.test").await;
        assert_eq!(refusal(&outcome).0, Stage::Rcpt);
    }
    assert!(connection.is_usable().await);
}

#[tokio::test]
async fn greylisting_takes_the_second_try() {
    let greylisting = Personality {
        recipients: RecipientRule::Greylist,
        ..Personality::plain("mx.test")
    };
    let (running, mailroom) = receiver(greylisting).await;
    let mut connection = ready(running.addr()).await;
    assert_eq!(refusal(&send_at_once(&mut connection, "a@b.test").await).1.code(), 450);
    assert!(matches!(
        send_at_once(&mut connection, "a@b.test").await,
        TransactionOutcome::Accepted(_)
    ));
    assert_eq!(mailroom.received.lock().len(), 1);
}

#[tokio::test]
async fn a_sink_that_fails_is_a_transient_refusal_after_data() {
    let sink = Arc::new(Mailroom {
        full: true,
        ..Mailroom::default()
    });
    let running = Receiver::start("127.0.0.1:0".parse().unwrap(), Personality::plain("mx.test"), sink)
        .await
        .unwrap();
    let outcome = send(&mut ready(running.addr()).await, "a@b.test").await;
    assert!(
        matches!(&outcome, TransactionOutcome::RefusedAfterData(Refusal { stage: Stage::FinalDot, reply })
        if reply.code() == 451)
    );
}

#[tokio::test]
async fn a_refused_sender_is_named_and_the_recipient_not_tried() {
    let refused = outcome(vec![Step::Hear("MAIL"), Step::Say("550 5.7.1 Not you\r\n"), Step::Hold]).await;
    assert!(matches!(
        refused,
        TransactionOutcome::RefusedBeforeData(Refusal { stage: Stage::Mail, .. })
    ));
}

#[tokio::test]
async fn data_refused_is_told_apart() {
    let steps = vec![
        Step::Hear("MAIL"),
        Step::Say("250 ok\r\n"),
        Step::Hear("RCPT"),
        Step::Say("250 ok\r\n"),
        Step::Hear("DATA"),
        Step::Say("451 4.3.0 Not now\r\n"),
        Step::Hold,
    ];
    let refused = outcome(steps).await;
    assert!(
        matches!(
            refused,
            TransactionOutcome::RefusedAtData(Refusal { stage: Stage::Data, .. })
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_server_without_extensions_gets_no_parameters_and_one_command_at_a_time() {
    let steps = vec![
        Step::Hear("MAIL"),
        Step::Say("250 ok\r\n"),
        Step::Hear("RCPT"),
        Step::Say("250 ok\r\n"),
        Step::Hear("DATA"),
        Step::Say("354 go\r\n"),
        Step::HearContent,
        Step::Say("250-stored\r\n250 2.0.0 as 1234\r\n"),
        Step::Hear("QUIT"),
        Step::Say("221 bye\r\n"),
    ];
    let script = Script::start(greeting("250 mx.test\r\n").into_iter().chain(steps).collect()).await;
    let mut connection = ready(script.addr).await;
    let outcome = send_at_once(&mut connection, "ann@b.test").await;
    assert!(matches!(&outcome, TransactionOutcome::Accepted(reply) if reply.lines() == ["stored", "2.0.0 as 1234"]));
    connection.finish().await;
    let heard = script.heard().await;
    assert_eq!(heard[1], "MAIL FROM:<bounce@sender.test>");
    assert_eq!(heard[4], "Subject: hello\r\n\r\n..a dot\r\nbye\r\n.\r\n");
}

#[tokio::test]
async fn what_the_server_does_not_offer_is_found_before_anything_is_sent() {
    let extensions = "250-mx.test\r\n250-SIZE 1000\r\n250 REQUIRETLS\r\n";
    let script = Script::start(greeting(extensions).into_iter().chain([Step::Hold]).collect()).await;
    let mut connection = ready(script.addr).await;
    let needing = |needs| Envelope {
        needs,
        ..envelope("a@b.test")
    };
    let utf8_header = needing(MailParameters {
        address_form: AddressForm::Utf8,
        ..MailParameters::default()
    });
    let utf8_address = Envelope {
        forward_path: ForwardPath::parse("sören@b.test").unwrap(),
        ..envelope("a@b.test")
    };
    let tls = needing(MailParameters {
        tls: TlsRequirement::EveryHop,
        ..MailParameters::default()
    });
    let large = needing(MailParameters {
        size_bytes: Some(1_001),
        ..MailParameters::default()
    });
    let content = StuffedContent::new(&[CONTENT]).unwrap();
    for (envelope, expected) in [
        (utf8_header, Unsupported::SmtpUtf8),
        (utf8_address, Unsupported::SmtpUtf8),
        (tls, Unsupported::RequireTls),
        (
            large,
            Unsupported::TooLarge {
                size_bytes: 1_001,
                limit_bytes: 1_000,
            },
        ),
    ] {
        let outcome = connection.mail_rcpt_data(&envelope, &content).await;
        assert!(matches!(outcome, TransactionOutcome::Unsupported(unsupported) if unsupported == expected));
    }
    drop(connection);
    assert_eq!(script.heard().await, ["EHLO client.test"]);
}

#[tokio::test]
async fn addresses_in_utf8_reach_a_server_that_takes_them() {
    let (running, mailroom) = receiver(Personality::plain("mx.test")).await;
    let outcome = send(&mut ready(running.addr()).await, "sören@b.test").await;
    assert!(matches!(outcome, TransactionOutcome::Accepted(_)), "{outcome:?}");
    assert_eq!(mailroom.received.lock()[0].forward_paths[0].as_str(), "sören@b.test");
}

#[tokio::test]
async fn the_transcript_holds_the_dialogue_without_the_content() {
    let (running, _) = receiver(Personality::plain("mx.test")).await;
    let mut connection = ready(running.addr()).await;
    connection.recorder().take();
    assert!(matches!(
        send(&mut connection, "ann@b.test").await,
        TransactionOutcome::Accepted(_)
    ));
    let lines = connection.recorder().take().lines;
    let sent = lines
        .iter()
        .filter(|line| line.direction == Direction::Sent)
        .map(|line| line.text.as_str());
    let size = CONTENT.len();
    assert_eq!(
        sent.collect::<Vec<_>>(),
        [
            format!("MAIL FROM:<bounce@sender.test> SIZE={size}").as_str(),
            "RCPT TO:<ann@b.test>",
            "DATA",
            format!("<{size} bytes>").as_str(),
            "."
        ]
    );
    assert!(lines.iter().all(|line| !line.text.contains("hello")));
}
