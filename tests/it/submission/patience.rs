//! Clients that are slow or silent, and a disk that is full.

use std::time::Duration;

use sealpost::smtp::server::submission::Pace;

use super::world::{client, logged_in, message, spawn, spawn_with};

/// Short for a test, and long enough for a client on a busy machine.
const SOON: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_says_nothing_is_sent_away() {
    let pace = Pace {
        stranger: SOON,
        ..Pace::default()
    };
    let sealpost = spawn().await.restart_at_pace(pace).await;
    let mut silent = client(&sealpost).await;
    silent.heard().await.starts("421 4.4.2 Timed out");
    silent.is_closed().await;
    let mut half = client(&sealpost).await;
    half.ehlo().await;
    half.say("AUTH PLAIN").await.starts("334 ");
    half.send(b"AAAA").await;
    half.heard().await.starts("421 4.4.2 Timed out");
    half.is_closed().await;
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_chats_and_never_logs_in_is_sent_away() {
    let pace = Pace {
        stranger: SOON,
        ..Pace::default()
    };
    let sealpost = spawn().await.restart_at_pace(pace).await;
    let key = sealpost.sending_key().await.0.key;
    let (mut stranger, mut guest) = (client(&sealpost).await, logged_in(&sealpost, &key).await);
    let mut every = tokio::time::interval(SOON / 3);
    let mut heard = stranger.say("NOOP").await;
    for _ in 0..100 {
        every.tick().await;
        guest.say("NOOP").await.starts("250 ");
        if !heard.0.starts_with("250 ") {
            break;
        }
        heard = stranger.say("NOOP").await;
    }
    heard.starts("421 4.4.2 Timed out");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_content_that_comes_drop_by_drop_is_given_up() {
    let pace = Pace {
        content_grace: SOON,
        content_bytes_per_s: 1_000_000,
        ..Pace::default()
    };
    let sealpost = spawn().await.restart_at_pace(pace).await;
    let mut slow = logged_in(&sealpost, &sealpost.sending_key().await.0.key).await;
    slow.say("MAIL FROM:<shop@example.org>").await.starts("250 ");
    slow.say("RCPT TO:<ann@inbox.test>").await.starts("250 ");
    slow.say("DATA").await.starts("354 ");
    let mut drops = tokio::time::interval(Duration::from_millis(50));
    let dripping = async {
        loop {
            drops.tick().await;
            slow.send_if_taken(b"x").await;
        }
    };
    drop(tokio::time::timeout(SOON * 3, dripping).await);
    slow.heard().await.starts("421 4.4.2 Timed out");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_at_mail() {
    let sealpost = spawn().await;
    let key = sealpost.sending_key().await.0.key;
    let mut config = sealpost.config.clone();
    config.disk.accept_mark_bytes = 1 << 60;
    let sealpost = sealpost.restart_with(config).await;
    let mut session = logged_in(&sealpost, &key).await;
    session
        .say("MAIL FROM:<shop@example.org>")
        .await
        .starts("452 4.3.1 The disk is full");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_breaks_off_leaves_nothing_behind() {
    let sealpost = spawn_with(|config| config.submission.connections_max = 2).await;
    let key = sealpost.sending_key().await.0.key;
    let before = sealpost.head();
    for _ in 0..5 {
        let mut session = logged_in(&sealpost, &key).await;
        session.say("MAIL FROM:<shop@example.org>").await.starts("250 ");
        session.say("RCPT TO:<ann@inbox.test>").await.starts("250 ");
        session.say("DATA").await.starts("354 ");
        session.send(message("").as_bytes()).await;
        session.closes().await;
    }
    assert_eq!(
        sealpost.head(),
        before,
        "no message without its final dot, and each place came back"
    );
    sealpost.stop().await;
}
