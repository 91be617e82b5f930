//! How long a session lasts: no longer than its key, its account, its server, or its client's patience.

use serde_json::json;

use super::client::Client;
use super::world::{client, logged_in, message, spawn, spawn_with};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_session_of_a_revoked_key_ends_at_its_next_mail() {
    let sealpost = spawn().await;
    let (key, other) = (sealpost.sending_key().await, sealpost.sending_key().await);
    let mut session = logged_in(&sealpost, &key.0.key).await;
    session.submit(&["ann@inbox.test"], message("").as_bytes()).await.ids();
    let revoke = json!({ "account": sealpost.account, "reason": "leaked" });
    sealpost
        .control()
        .post(&format!("/keys/{}/revoke", key.0.id), &revoke)
        .await
        .ok();
    let before = sealpost.head();
    session
        .say("MAIL FROM:<shop@example.org>")
        .await
        .starts("421 4.7.0 The key may not send any more");
    session.is_closed().await;
    let recorded = sealpost.recorded_after(before).await;
    assert_eq!(recorded, ["KeyUseRefused"], "the owner sees the try");
    let mut again = client(&sealpost).await;
    again.ehlo().await;
    again.log_in(&key.0.key).await.starts("535 5.7.8 ");
    logged_in(&sealpost, &other.0.key).await;
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_revoked_between_mail_and_the_final_dot_sends_nothing() {
    let sealpost = spawn().await;
    let key = sealpost.sending_key().await;
    let mut session = logged_in(&sealpost, &key.0.key).await;
    session.say("MAIL FROM:<shop@example.org>").await.starts("250 ");
    session.say("RCPT TO:<ann@inbox.test>").await.starts("250 ");
    session.say("DATA").await.starts("354 ");
    session.send(message("").as_bytes()).await;
    let revoke = json!({ "account": sealpost.account, "reason": "leaked" });
    sealpost
        .control()
        .post(&format!("/keys/{}/revoke", key.0.id), &revoke)
        .await
        .ok();
    let before = sealpost.head();
    session.send(b".\r\n").await;
    session.heard().await.starts("421 4.7.0 The key may not send any more");
    session.is_closed().await;
    let recorded = sealpost.recorded_after(before).await;
    assert!(!recorded.contains(&"MessageAccepted".to_owned()), "{recorded:?}");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_frozen_key_sends_is_held_as_by_every_other_door() {
    let sealpost = spawn().await;
    let key = sealpost.sending_key().await;
    let mut session = logged_in(&sealpost, &key.0.key).await;
    let act = json!({ "account": sealpost.account, "reason": "odd" });
    sealpost
        .control()
        .post(&format!("/keys/{}/freeze", key.0.id), &act)
        .await
        .ok();
    let ids = session.submit(&["ann@inbox.test"], message("").as_bytes()).await.ids();
    assert_eq!(sealpost.inbox.count(), 0);
    sealpost
        .control()
        .post(&format!("/keys/{}/thaw", key.0.id), &act)
        .await
        .ok();
    sealpost.until(&ids[0], "MessageDelivered").await;
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_may_not_send_by_smtp_do_not() {
    let sealpost = spawn().await;
    let issue = |limits: serde_json::Value, world: &str| json!({ "account": sealpost.account, "label": "x", "kind": "sending", "world": world, "limits": limits });
    let key_of = async |issue: serde_json::Value| {
        let issued = sealpost.control().post("/keys", &issue).await.ok();
        issued["key"].as_str().unwrap().to_owned()
    };
    let by_http_alone = key_of(issue(json!({ "methods": ["messages/send"] }), "live")).await;
    let mut one = client(&sealpost).await;
    one.ehlo().await;
    one.log_in(&by_http_alone).await.starts("535 5.7.8 ");
    let by_smtp = key_of(issue(
        json!({ "methods": ["smtp"], "recipient_domains": ["other.test"] }),
        "live",
    ))
    .await;
    let mut two = logged_in(&sealpost, &by_smtp).await;
    let refused = two.submit(&["ann@inbox.test"], message("").as_bytes()).await;
    refused.starts("550 5.7.1 The key may not send that");
    let of_the_test_world = key_of(issue(json!({}), "test")).await;
    let mut three = logged_in(&sealpost, &of_the_test_world).await;
    three
        .say("MAIL FROM:<shop@example.org>")
        .await
        .starts("550 5.7.1 Test keys cannot send mail here");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suppressed_recipient_is_passed_over_and_alone_is_refused() {
    let sealpost = spawn().await;
    let mut session = logged_in(&sealpost, &sealpost.sending_key().await.0.key).await;
    let ids = session
        .submit(&["gone@reject.test"], message("").as_bytes())
        .await
        .ids();
    sealpost.until(&ids[0], "MessageBounced").await;
    let heard = session
        .submit(&["gone@reject.test", "ann@inbox.test"], message("").as_bytes())
        .await;
    assert_eq!(heard.ids().len(), 1);
    assert!(heard.0.ends_with("; 1 rejected"), "{}", heard.0);
    let heard = session.submit(&["gone@reject.test"], message("").as_bytes()).await;
    assert_eq!(heard.0, "550 5.7.1 Every recipient is suppressed");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_have_a_limit_for_all_and_for_each_key() {
    let sealpost = spawn_with(|config| {
        config.submission.connections_max = 3;
        config.submission.connections_per_key_max = 1;
    })
    .await;
    let key = sealpost.sending_key().await.0.key;
    let first = logged_in(&sealpost, &key).await;
    let mut second = client(&sealpost).await;
    second.ehlo().await;
    second.log_in(&key).await.starts("421 4.7.0 Too many connections");
    second.is_closed().await;
    let held = (client(&sealpost).await, client(&sealpost).await);
    let address = sealpost.server.addresses().submission.unwrap();
    let mut turned_away = Client::silent(address).await;
    turned_away.heard().await.starts("421 4.7.0 Too many connections");
    drop((first, held));
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let sealpost = spawn().await;
    let mut session = logged_in(&sealpost, &sealpost.sending_key().await.0.key).await;
    let ids = session
        .submit(&["ann@inbox.test", "bob@inbox.test"], message("").as_bytes())
        .await
        .ids();
    let sealpost = sealpost.restart().await;
    for id in ids {
        sealpost.until(&id, "MessageDelivered").await;
    }
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ends_says_so_to_who_waits_and_answers_what_was_begun() {
    let sealpost = spawn().await;
    let key = sealpost.sending_key().await.0.key;
    let mut idle = logged_in(&sealpost, &key).await;
    let mut busy = logged_in(&sealpost, &key).await;
    busy.say("MAIL FROM:<shop@example.org>").await.starts("250 ");
    busy.say("RCPT TO:<ann@inbox.test>").await.starts("250 ");
    busy.say("DATA").await.starts("354 ");
    let stopping = tokio::spawn(sealpost.stop());
    idle.heard().await.starts("421 4.3.2 The server is closing");
    idle.is_closed().await;
    busy.send(format!("{}.\r\n", message("")).as_bytes()).await;
    assert_eq!(busy.heard().await.ids().len(), 1);
    busy.heard().await.starts("421 4.3.2 ");
    stopping.await.unwrap();
}
