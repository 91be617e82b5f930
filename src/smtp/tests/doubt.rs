//! The line between "cannot have it" and "may have it": losses before and after the final dot.

use std::time::Duration;

use super::mailroom::{envelope, greeted_with, ready, send, soon, timeouts};
use super::script::{Script, Step};
use crate::smtp::client::{Broken, Cause, Refusal, Stage, Timeouts, TransactionOutcome};
use crate::smtp::wire::{ReplyFault, StuffedContent};

fn up_to_354(more: Vec<Step>) -> Vec<Step> {
    let start = [
        Step::Say("220 a\r\n"),
        Step::Hear("EHLO"),
        Step::Say("250 a\r\n"),
        Step::Hear("MAIL"),
        Step::Say("250 ok\r\n"),
        Step::Hear("RCPT"),
        Step::Say("250 ok\r\n"),
        Step::Hear("DATA"),
        Step::Say("354 go\r\n"),
    ];
    start.into_iter().chain(more).collect()
}

async fn outcome_within(more: Vec<Step>, timeouts: &Timeouts) -> TransactionOutcome {
    let script = Script::start(up_to_354(more)).await;
    send(
        &mut greeted_with(script.addr, timeouts).await.stay_in_clear(),
        "a@b.test",
    )
    .await
}

async fn outcome(more: Vec<Step>) -> TransactionOutcome {
    outcome_within(more, &timeouts()).await
}

async fn outcome_of_large(more: Vec<Step>, timeouts: &Timeouts) -> TransactionOutcome {
    let script = Script::start(up_to_354(more)).await;
    let large = b"far more than the buffers of a socket on either side can hold\r\n".repeat(300_000);
    let content = StuffedContent::new(&[&large]).unwrap();
    let mut connection = greeted_with(script.addr, timeouts).await.stay_in_clear();
    connection
        .mail_rcpt(&envelope("a@b.test"))
        .await
        .unwrap()
        .data(&content)
        .await
}

#[track_caller]
fn doubt(outcome: TransactionOutcome) -> Cause {
    match outcome {
        TransactionOutcome::InDoubt(Broken {
            stage: Stage::FinalDot,
            cause,
        }) => cause,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_reset_after_the_final_dot_is_in_doubt() {
    assert!(matches!(
        doubt(outcome(vec![Step::HearContent, Step::Reset]).await),
        Cause::Io(_)
    ));
}

#[tokio::test]
async fn an_end_after_the_final_dot_is_in_doubt() {
    assert!(matches!(doubt(outcome(vec![Step::HearContent]).await), Cause::Closed));
}

#[tokio::test]
async fn silence_after_the_final_dot_is_in_doubt() {
    let limits = Timeouts {
        final_dot: soon(),
        ..timeouts()
    };
    let cause = doubt(outcome_within(vec![Step::HearContent, Step::Hold], &limits).await);
    assert!(matches!(cause, Cause::TimedOut { limit } if limit == soon()));
}

#[tokio::test]
async fn half_a_reply_after_the_final_dot_is_in_doubt() {
    assert!(matches!(
        doubt(outcome(vec![Step::HearContent, Step::Say("250 2.0.0 O")]).await),
        Cause::Closed
    ));
    assert!(matches!(
        doubt(outcome(vec![Step::HearContent, Step::Say("250-2.0.0 Ok\r\n")]).await),
        Cause::Closed
    ));
}

#[tokio::test]
async fn an_unreadable_reply_after_the_final_dot_is_in_doubt() {
    let unreadable = |said| vec![Step::HearContent, Step::Say(said), Step::Hold];
    let cause = doubt(outcome(unreadable("OK, stored\r\n")).await);
    assert!(matches!(cause, Cause::Unreadable(ReplyFault::Malformed)));
    let cause = doubt(outcome(unreadable("250-yes\r\n550 no\r\n")).await);
    assert!(matches!(cause, Cause::Unreadable(ReplyFault::ContradictoryCodes)));
    let oversized = vec![Step::HearContent, Step::SayBytes(b"250-a\r\n".repeat(101)), Step::Hold];
    assert!(matches!(
        doubt(outcome(oversized).await),
        Cause::Unreadable(ReplyFault::TooManyLines)
    ));
    assert!(matches!(
        doubt(outcome(unreadable("354 more\r\n")).await),
        Cause::Meaningless { code: 354 }
    ));
}

#[tokio::test]
async fn an_answer_after_the_final_dot_leaves_no_doubt_though_the_server_closes() {
    let accepted = outcome(vec![Step::HearContent, Step::Say("250 2.0.0 Ok\r\n")]).await;
    assert!(matches!(accepted, TransactionOutcome::Accepted(_)));
    let refused = outcome(vec![Step::HearContent, Step::Say("421 4.3.0 Going down\r\n")]).await;
    assert!(matches!(
        refused,
        TransactionOutcome::RefusedAfterData(Refusal {
            stage: Stage::FinalDot,
            ..
        })
    ));
}

#[tokio::test]
async fn a_reset_in_the_middle_of_the_content_leaves_no_doubt() {
    let outcome = outcome_of_large(vec![Step::HearBytes(100_000), Step::Reset], &timeouts()).await;
    assert!(
        matches!(
            &outcome,
            TransactionOutcome::NotSent(Broken {
                stage: Stage::Content,
                cause: Cause::Io(_)
            })
        ),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_server_that_stops_reading_in_the_middle_leaves_no_doubt() {
    // This limit holds for the 354 too, which a loaded machine must manage within it.
    let limits = Timeouts {
        data: Duration::from_secs(1),
        ..timeouts()
    };
    let (release, released) = tokio::sync::oneshot::channel::<()>();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        let (mut stream, _) = listener.accept().await.unwrap();
        for answer in ["220 a\r\n", "250 a\r\n", "250 b\r\n", "250 c\r\n", "354 d\r\n"] {
            stream.write_all(answer.as_bytes()).await.unwrap();
            if answer.starts_with("354") {
                break;
            }
            let mut space = [0; 512];
            tokio::io::AsyncReadExt::read(&mut stream, &mut space).await.unwrap();
        }
        released.await.unwrap();
    });
    let large = vec![b'a'; 30_000_000];
    let content = StuffedContent::new(&[&large]).unwrap();
    let mut connection = greeted_with(addr, &limits).await.stay_in_clear();
    let outcome = connection
        .mail_rcpt(&envelope("a@b.test"))
        .await
        .unwrap()
        .data(&content)
        .await;
    let timed_out = |cause: &Cause| matches!(cause, Cause::TimedOut { .. });
    assert!(
        matches!(&outcome, TransactionOutcome::NotSent(Broken { stage: Stage::Content, cause }) if timed_out(cause)),
        "{outcome:?}"
    );
    assert!(!connection.is_usable().await);
    release.send(()).unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn a_refusal_in_the_middle_of_the_content_is_heard() {
    let steps = vec![
        Step::HearBytes(100_000),
        Step::Say("552 5.3.4 Too large\r\n"),
        Step::HearBytes(100_000_000),
    ];
    let outcome = outcome_of_large(steps, &timeouts()).await;
    assert!(
        matches!(&outcome, TransactionOutcome::RefusedAtData(Refusal { stage: Stage::Content, reply })
        if reply.code() == 552),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_yes_that_comes_with_the_354_is_not_taken_for_the_answer_to_the_final_dot() {
    let mut steps = up_to_354(Vec::new());
    steps.pop();
    steps.extend([Step::Say("354 go\r\n250 2.0.0 Ok\r\n"), Step::Hold]);
    let script = Script::start(steps).await;
    let mut connection = ready(script.addr).await;
    let outcome = send(&mut connection, "a@b.test").await;
    let unasked = |cause: &Cause| matches!(cause, Cause::Unasked { byte_count: 14 });
    assert!(
        matches!(&outcome, TransactionOutcome::NotSent(Broken { stage: Stage::Content, cause }) if unasked(cause)),
        "{outcome:?}"
    );
    assert!(!connection.is_usable().await);
}

#[tokio::test]
async fn a_server_gone_between_envelope_and_data_leaves_no_doubt() {
    let steps = vec![
        Step::Say("220 a\r\n"),
        Step::Hear("EHLO"),
        Step::Say("250 a\r\n"),
        Step::Hear("MAIL"),
        Step::Say("250 ok\r\n"),
        Step::Hear("RCPT"),
        Step::Say("250 ok\r\n"),
        Step::Reset,
    ];
    let script = Script::start(steps).await;
    let mut connection = ready(script.addr).await;
    let envelope = envelope("a@b.test");
    let transaction = connection.mail_rcpt(&envelope).await.unwrap();
    script.heard().await;
    let content = StuffedContent::new(&[b"a"]).unwrap();
    let outcome = transaction.data(&content).await;
    assert!(
        matches!(outcome, TransactionOutcome::NotSent(Broken { stage: Stage::Data, .. })),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn silence_after_data_leaves_no_doubt() {
    let limits = Timeouts {
        data: soon(),
        ..timeouts()
    };
    let mut steps = up_to_354(Vec::new());
    steps.pop();
    steps.push(Step::Hold);
    let script = Script::start(steps).await;
    let outcome = send(
        &mut greeted_with(script.addr, &limits).await.stay_in_clear(),
        "a@b.test",
    )
    .await;
    let timed_out = |cause: &Cause| matches!(cause, Cause::TimedOut { .. });
    assert!(matches!(&outcome, TransactionOutcome::NotSent(Broken { stage: Stage::Data, cause }) if timed_out(cause)));
}
