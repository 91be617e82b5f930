//! Connecting, greeting and introducing, with servers that are busy, old, silent or talk too much.

use super::mailroom::{greeted, greeted_with, name, receiver, soon, timeouts};
use super::script::{Script, Step};
use crate::smtp::client::{Broken, Cause, Connection, GreetFailure, Recorder, Refusal, Route, Stage, Timeouts};
use crate::smtp::server::{Pace, Personality};
use crate::smtp::wire::{Capabilities, Extension, ReplyFault, SizeLimit};

async fn failure_with(script: &Script, timeouts: &Timeouts) -> GreetFailure {
    let opened = Connection::open(script.addr, timeouts, Recorder::new()).await.unwrap();
    opened.greet(&name()).await.unwrap_err()
}

async fn failure(steps: Vec<Step>) -> GreetFailure {
    failure_with(&Script::start(steps).await, &timeouts()).await
}

#[tokio::test]
async fn our_receiver_greets_and_states_what_it_offers() {
    let (running, _) = receiver(Personality::plain("mx.test")).await;
    let connection = greeted(running.addr()).await;
    assert_eq!(connection.greeting().lines(), ["mx.test ESMTP Sealpost"]);
    assert!(connection.capabilities().offers(Extension::Pipelining));
    assert!(!connection.capabilities().offers(Extension::StartTls));
    assert_eq!(connection.capabilities().size_limit(), SizeLimit::Bytes(26_214_400));
    connection.finish().await;
}

#[tokio::test]
async fn nobody_listening_is_a_broken_connect() {
    // Bound and not listening: nobody else can get the port meanwhile.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let broken = Connection::open(socket.local_addr().unwrap(), &timeouts(), Recorder::new())
        .await
        .unwrap_err();
    assert!(
        matches!(
            broken,
            Broken {
                stage: Stage::Connect,
                cause: Cause::Io(_)
            }
        ),
        "{broken:?}"
    );
}

#[tokio::test]
async fn the_source_address_is_the_one_that_was_chosen() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let route = Route {
        peer: listener.local_addr().unwrap(),
        source: Some("127.0.0.2".parse().unwrap()),
    };
    let connection = Connection::open(route, &timeouts(), Recorder::new()).await.unwrap();
    let (_, seen) = listener.accept().await.unwrap();
    assert_eq!(seen.ip().to_string(), "127.0.0.2");
    connection.finish().await;
}

#[tokio::test]
async fn a_refused_greeting_ends_with_quit() {
    let script = Script::start(vec![
        Step::Say("554 5.3.2 No\r\n"),
        Step::Hear("QUIT"),
        Step::Say("221 Bye\r\n"),
    ])
    .await;
    let failure = failure_with(&script, &timeouts()).await;
    assert!(
        matches!(&failure, GreetFailure::Refused(Refusal { stage: Stage::Greeting, reply }) if reply.code() == 554)
    );
    assert_eq!(script.heard().await, ["QUIT"]);
}

#[tokio::test]
async fn a_busy_greeting_is_a_refusal_and_not_argued_with() {
    let failure = failure(vec![Step::Say("421 4.3.2 Busy\r\n"), Step::Hold]).await;
    assert!(
        matches!(&failure, GreetFailure::Refused(Refusal { stage: Stage::Greeting, reply }) if reply.code() == 421)
    );
}

#[tokio::test]
async fn a_server_without_ehlo_gets_helo() {
    let steps = vec![
        Step::Say("220 old.test\r\n"),
        Step::Hear("EHLO client.test"),
        Step::Say("502 Not implemented\r\n"),
        Step::Hear("HELO client.test"),
        Step::Say("250 old.test\r\n"),
        Step::Hold,
    ];
    let script = Script::start(steps).await;
    let connection = greeted(script.addr).await;
    assert_eq!(connection.capabilities(), &Capabilities::none());
}

#[tokio::test]
async fn a_busy_ehlo_is_not_followed_by_helo() {
    let steps = vec![
        Step::Say("220 a\r\n"),
        Step::Hear("EHLO"),
        Step::Say("451 Later\r\n"),
        Step::Hear("QUIT"),
    ];
    assert!(matches!(
        failure(steps).await,
        GreetFailure::Refused(Refusal {
            stage: Stage::Hello,
            ..
        })
    ));
}

#[tokio::test]
async fn a_reply_of_many_lines_and_packets_is_read() {
    let steps = vec![
        Step::Say("220-welcome\r\n220-to\r\n"),
        Step::Say("220 many.test\r\n"),
        Step::Hear("EHLO"),
        Step::Say("250-many.test\r\n250-SIZE 10"),
        Step::Say("00\r\n250-X-UNKNOWN\r\n250 PIPE"),
        Step::Say("LINING\r\n"),
        Step::Hold,
    ];
    let script = Script::start(steps).await;
    let connection = greeted(script.addr).await;
    assert_eq!(connection.greeting().lines().len(), 3);
    assert_eq!(connection.capabilities().size_limit(), SizeLimit::Bytes(1_000));
    assert!(connection.capabilities().offers(Extension::Pipelining));
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_in_time() {
    let (running, _) = receiver(Personality {
        pace: Pace::Hang,
        ..Personality::plain("slow.test")
    })
    .await;
    let limits = Timeouts {
        greeting: soon(),
        ..timeouts()
    };
    let opened = Connection::open(running.addr(), &limits, Recorder::new())
        .await
        .unwrap();
    let failure = opened.greet(&name()).await.unwrap_err();
    let timed_out = |broken: &Broken| {
        matches!(
            broken,
            Broken {
                stage: Stage::Greeting,
                cause: Cause::TimedOut { .. }
            }
        )
    };
    assert!(
        matches!(&failure, GreetFailure::Broken(broken) if timed_out(broken)),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_greeting_that_never_ends_is_given_up() {
    let steps = vec![Step::SayBytes(b"220-a\r\n".repeat(200)), Step::Hold];
    let too_many = Cause::Unreadable(ReplyFault::TooManyLines).to_string();
    assert!(matches!(failure(steps).await, GreetFailure::Broken(broken) if broken.cause.to_string() == too_many));
    let steps = vec![Step::SayBytes(vec![b'2'; 5_000]), Step::Hold];
    assert!(matches!(
        failure(steps).await,
        GreetFailure::Broken(Broken {
            cause: Cause::Unreadable(ReplyFault::LineTooLong),
            ..
        })
    ));
}

#[tokio::test]
async fn a_server_of_another_protocol_is_unreadable() {
    let failure = failure(vec![Step::Say("HTTP/1.1 400 Bad Request\r\n"), Step::Hold]).await;
    let unreadable = Cause::Unreadable(ReplyFault::Malformed).to_string();
    assert!(matches!(failure, GreetFailure::Broken(broken) if broken.cause.to_string() == unreadable));
}

#[tokio::test]
async fn an_answer_before_the_question_breaks_the_dialogue() {
    let failure = failure(vec![Step::Say("220 a\r\n250 too early\r\n"), Step::Hold]).await;
    let unasked = |broken: &Broken| matches!(broken.cause, Cause::Unasked { byte_count: 15 });
    assert!(
        matches!(&failure, GreetFailure::Broken(broken) if unasked(broken)),
        "{failure:?}"
    );
}

#[tokio::test]
async fn the_dialogue_is_on_record_also_after_a_failure() {
    let script = Script::start(vec![
        Step::Say("554 5.3.2 No\r\n"),
        Step::Hear("QUIT"),
        Step::Say("221 Bye\r\n"),
    ])
    .await;
    let recorder = Recorder::new();
    let opened = Connection::open(script.addr, &timeouts(), recorder.clone())
        .await
        .unwrap();
    opened.greet(&name()).await.unwrap_err();
    let texts: Vec<String> = recorder.take().lines.into_iter().map(|line| line.text).collect();
    assert_eq!(
        texts,
        [
            &format!("connected to {}", script.addr),
            "554 5.3.2 No",
            "QUIT",
            "221 Bye"
        ]
    );
}

#[tokio::test]
async fn a_dialogue_whose_future_was_dropped_halfway_is_out_of_step() {
    let steps = vec![
        Step::Say("220 a\r\n"),
        Step::Hear("EHLO"),
        Step::Say("250 a\r\n"),
        Step::Hear("MAIL"),
        Step::Hold,
    ];
    let script = Script::start(steps).await;
    let mut connection = greeted_with(script.addr, &timeouts()).await.stay_in_clear();
    let envelope = super::mailroom::envelope("a@b.test");
    assert!(
        tokio::time::timeout(soon(), connection.mail_rcpt(&envelope))
            .await
            .is_err()
    );
    assert!(!connection.is_usable().await);
    let failure = connection.mail_rcpt(&envelope).await.unwrap_err();
    assert!(failure.to_string().contains("broke"), "{failure}");
}
