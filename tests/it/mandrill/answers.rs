//! Every answer for a recipient: sent, queued, rejected, invalid, each with its reason.

use serde_json::{Value, json};

use crate::support::{mandrill_mail, spawn_sealpost};

/// Status, reject reason and queued reason.
fn words(answer: &Value) -> [Option<&str>; 3] {
    ["status", "reject_reason", "queued_reason"].map(|name| answer[name].as_str())
}

const SENT: [Option<&str>; 3] = [Some("sent"), None, None];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_recipient_has_an_answer_of_its_own() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let sent = key
        .send(mandrill_mail(&["Ann@Inbox.test", "nobody", "ann@inbox.test"]))
        .await;
    let invalid = [Some("invalid"), None, None];
    assert_eq!(
        sent.iter().map(words).collect::<Vec<_>>(),
        [SENT, invalid, SENT],
        "nobody is left out, not even a repeated one"
    );
    let given: Vec<_> = sent.iter().map(|one| one["email"].as_str().unwrap()).collect();
    assert_eq!(
        given,
        ["Ann@Inbox.test", "nobody", "ann@inbox.test"],
        "byte for byte as given"
    );
    for one in &sent {
        let id = one["_id"].as_str().unwrap();
        assert!(
            id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{id}"
        );
    }
    assert_eq!(sealpost.inbox.wait_for(2).await.len(), 2);
    let invalid = key
        .mandrill("messages/info", json!({ "id": sent[1]["_id"] }))
        .await
        .ok();
    assert_eq!(
        (&invalid["state"], &invalid["email"]),
        (&json!("rejected"), &json!("nobody"))
    );
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_bounced_is_rejected_from_then_on() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let first = key.send(mandrill_mail(&["gone@reject.test"])).await;
    let first_id = first[0]["_id"].as_str().unwrap();
    assert_eq!(words(&first[0]), SENT, "nothing is known of it yet");
    sealpost.until(first_id, "MessageBounced").await;
    let info = key.mandrill("messages/info", json!({ "id": first_id })).await.ok();
    assert_eq!(
        (&info["state"], &info["bounce_description"]),
        (&json!("bounced"), &json!("bad_mailbox"))
    );
    assert_eq!(info["diag"], "550 5.1.1 no such user");
    let second = key.send(mandrill_mail(&["gone@reject.test", "ann@inbox.test"])).await;
    let hard_bounce = [Some("rejected"), Some("hard-bounce"), None];
    assert_eq!(second.iter().map(words).collect::<Vec<_>>(), [hard_bounce, SENT]);
    let info = key
        .mandrill("messages/info", json!({ "id": second[0]["_id"] }))
        .await
        .ok();
    assert_eq!(
        (&info["state"], &info["reject"]["reason"]),
        (&json!("rejected"), &json!("hard-bounce"))
    );
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_from_that_is_not_the_account_s_is_unsigned() {
    let sealpost = spawn_sealpost().await;
    let (key, stranger) = (sealpost.sending_key().await, sealpost.stranger("other.example").await);
    let mail = json!({ "from_email": "boss@other.example", "to": [{ "email": "ann@inbox.test" }], "text": "Pay." });
    let unsigned = [Some("rejected"), Some("unsigned"), None];
    let sent = key.send(mail.clone()).await;
    assert_eq!(words(&sent[0]), unsigned);
    assert_eq!(
        sealpost
            .until(sent[0]["_id"].as_str().unwrap(), "MessageRejected")
            .await,
        ["MessageRejected"]
    );
    assert_eq!(words(&stranger.send(mail).await[0]), SENT, "its owner may");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_ten_recipients_and_async_calls_are_queued() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let addresses: Vec<String> = (0..11).map(|n| format!("reader-{n}@inbox.test")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    for answer in key.send(mandrill_mail(&addresses)).await {
        assert_eq!(words(&answer), [Some("queued"), None, Some("multiple-recipients")]);
    }
    for answer in key.send(mandrill_mail(&addresses[..10])).await {
        assert_eq!(words(&answer), SENT);
    }
    let call = json!({ "message": mandrill_mail(&addresses[..1]), "async": true });
    let answer = key.mandrill("messages/send", call).await.ok();
    assert_eq!(words(&answer[0]), [Some("queued"), None, None]);
    assert_eq!(sealpost.inbox.wait_for(22).await.len(), 22, "queued is on its way too");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_frozen_key_sends_is_queued_until_it_is_thawed() {
    let sealpost = spawn_sealpost().await;
    let (key, manager) = (sealpost.sending_key().await, sealpost.management_key().await);
    manager.act("freeze", &key.0.id).await.ok();
    let sent = key.send(mandrill_mail(&["ann@inbox.test"])).await;
    assert_eq!(words(&sent[0]), [Some("queued"), None, Some("sending-paused")]);
    let id = sent[0]["_id"].as_str().unwrap();
    let info = key.mandrill("messages/info", json!({ "id": id })).await.ok();
    assert_eq!(info["state"], "queued");
    manager.act("thaw", &key.0.id).await.ok();
    sealpost.until(id, "MessageDelivered").await;
    assert_eq!(sealpost.inbox.count(), 1);
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_limited_to_senders_and_receivers_answers_rule() {
    let sealpost = spawn_sealpost().await;
    let manager = sealpost.management_key().await;
    let rule = [Some("rejected"), Some("rule"), None];
    let limits = json!({ "from_domains": ["other.test"] });
    let key = sealpost.with_key(&manager.issue(&json!({ "limits": limits })).await.ok());
    let sent = key.send(mandrill_mail(&["ann@inbox.test"])).await;
    assert_eq!(words(&sent[0]), rule, "another sender");
    let limits = json!({ "from_domains": ["example.org"], "recipient_domains": ["inbox.test"] });
    let key = sealpost.with_key(&manager.issue(&json!({ "limits": limits })).await.ok());
    let sent = key.send(mandrill_mail(&["ann@inbox.test", "ann@elsewhere.test"])).await;
    assert_eq!(sent.iter().map(words).collect::<Vec<_>>(), [SENT, rule]);
    sealpost.stop().await;
}
