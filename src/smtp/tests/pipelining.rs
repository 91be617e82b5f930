//! Envelopes in one write, and the traps of answers that come in a row (RFC 2920).

use super::mailroom::{envelope, ready, send, send_at_once};
use super::script::{Script, Step};
use crate::smtp::client::{Refusal, Stage, TransactionOutcome};

fn steps(more: Vec<Step>) -> Vec<Step> {
    let start = [
        Step::Say("220 a\r\n"),
        Step::Hear("EHLO"),
        Step::Say("250-a\r\n250 PIPELINING\r\n"),
    ];
    start.into_iter().chain(more).collect()
}

fn hear_all() -> Vec<Step> {
    vec![Step::Hear("MAIL"), Step::Hear("RCPT"), Step::Hear("DATA")]
}

async fn at_once(more: Vec<Step>) -> (TransactionOutcome, Vec<String>) {
    let script = Script::start(steps(more)).await;
    let mut connection = ready(script.addr).await;
    let outcome = send_at_once(&mut connection, "a@b.test").await;
    drop(connection);
    (outcome, script.heard().await)
}

#[tokio::test]
async fn envelope_and_data_go_out_before_any_answer() {
    let mut more = hear_all();
    more.extend([
        Step::Say("250 a\r\n250 b\r\n354 c\r\n"),
        Step::HearContent,
        Step::Say("250 d\r\n"),
        Step::Hold,
    ]);
    let (outcome, _) = at_once(more).await;
    assert!(matches!(outcome, TransactionOutcome::Accepted(reply) if reply.lines() == ["d"]));
}

#[tokio::test]
async fn data_waits_where_the_right_to_send_is_still_to_be_recorded() {
    let more = vec![
        Step::Hear("MAIL"),
        Step::Hear("RCPT"),
        Step::Say("250 a\r\n250 b\r\n"),
        Step::Hear("DATA"),
        Step::Say("354 c\r\n"),
        Step::HearContent,
        Step::Say("250 d\r\n"),
        Step::Hold,
    ];
    let script = Script::start(steps(more)).await;
    let outcome = send(&mut ready(script.addr).await, "a@b.test").await;
    assert!(matches!(outcome, TransactionOutcome::Accepted(_)));
}

#[tokio::test]
async fn a_354_after_a_refused_recipient_gets_an_empty_content_and_stays_refused() {
    let mut more = hear_all();
    more.extend([
        Step::Say("250 a\r\n550 5.1.1 b\r\n354 c\r\n"),
        Step::Hear("."),
        Step::Say("250 d\r\n"),
        Step::Hold,
    ]);
    let (outcome, heard) = at_once(more).await;
    assert!(matches!(
        &outcome,
        TransactionOutcome::RefusedBeforeData(Refusal { stage: Stage::Rcpt, .. })
    ));
    assert_eq!(heard.last().unwrap(), ".");
}

#[tokio::test]
async fn after_a_refused_recipient_the_next_envelope_starts_with_rset() {
    let mut more = hear_all();
    more.extend([
        Step::Say("250 a\r\n550 b\r\n503 c\r\n"),
        Step::Hear("RSET"),
        Step::Hear("MAIL"),
        Step::Hear("RCPT"),
        Step::Hear("DATA"),
        Step::Say("250 d\r\n250 e\r\n250 f\r\n354 g\r\n"),
        Step::HearContent,
        Step::Say("250 h\r\n"),
        Step::Hold,
    ]);
    let script = Script::start(steps(more)).await;
    let mut connection = ready(script.addr).await;
    let refused = send_at_once(&mut connection, "a@b.test").await;
    assert!(matches!(
        refused,
        TransactionOutcome::RefusedBeforeData(Refusal { stage: Stage::Rcpt, .. })
    ));
    assert!(matches!(
        send_at_once(&mut connection, "b@b.test").await,
        TransactionOutcome::Accepted(_)
    ));
}

#[tokio::test]
async fn an_abandoned_envelope_is_reset_before_the_next() {
    let more = vec![
        Step::Hear("MAIL"),
        Step::Hear("RCPT"),
        Step::Say("250 a\r\n250 b\r\n"),
        Step::Hear("RSET"),
        Step::Hear("MAIL"),
        Step::Hear("RCPT"),
        Step::Say("250 c\r\n250 d\r\n250 e\r\n"),
        Step::Hold,
    ];
    let script = Script::start(steps(more)).await;
    let mut connection = ready(script.addr).await;
    drop(connection.mail_rcpt(&envelope("a@b.test")).await.unwrap());
    assert!(connection.is_usable().await);
    assert_eq!(
        connection
            .mail_rcpt(&envelope("b@b.test"))
            .await
            .unwrap()
            .rcpt_reply()
            .lines(),
        ["e"]
    );
}

#[tokio::test]
async fn the_first_refusal_counts_though_the_server_hangs_up_after_it() {
    let mut more = hear_all();
    more.push(Step::Say("421 4.7.0 Too many connections\r\n"));
    let (outcome, _) = at_once(more).await;
    assert!(
        matches!(&outcome, TransactionOutcome::RefusedBeforeData(Refusal { stage: Stage::Mail, reply })
        if reply.code() == 421)
    );
    let mut more = hear_all();
    more.push(Step::Say("250 a\r\n554 5.7.1 Blocked\r\n"));
    let (outcome, _) = at_once(more).await;
    assert!(
        matches!(&outcome, TransactionOutcome::RefusedBeforeData(Refusal { stage: Stage::Rcpt, reply })
        if reply.code() == 554)
    );
}

#[tokio::test]
async fn a_code_without_meaning_leaves_the_connection_unusable() {
    let mut more = hear_all();
    more.extend([Step::Say("250 a\r\n250 b\r\n250 c\r\n"), Step::Hold]);
    let script = Script::start(steps(more)).await;
    let mut connection = ready(script.addr).await;
    let outcome = send_at_once(&mut connection, "a@b.test").await;
    assert!(matches!(
        outcome,
        TransactionOutcome::RefusedAtData(Refusal { stage: Stage::Data, .. })
    ));
    assert!(!connection.is_usable().await);
}

#[tokio::test]
async fn an_answer_too_many_breaks_the_dialogue_before_the_next_message() {
    let mut more = hear_all();
    more.extend([
        Step::Say("250 a\r\n250 b\r\n354 c\r\n"),
        Step::HearContent,
        Step::Say("250 d\r\n250 e\r\n"),
        Step::Hold,
    ]);
    let script = Script::start(steps(more)).await;
    let mut connection = ready(script.addr).await;
    assert!(matches!(
        send_at_once(&mut connection, "a@b.test").await,
        TransactionOutcome::Accepted(_)
    ));
    assert!(!connection.is_usable().await);
    assert!(matches!(
        send_at_once(&mut connection, "b@b.test").await,
        TransactionOutcome::NotSent(_)
    ));
}
