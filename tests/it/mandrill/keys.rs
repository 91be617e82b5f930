//! Keys at Mandrill's doors: what works, what never did, and what works no more.

use serde_json::{Value, json};

use crate::support::{Answer, SendingKey, mandrill_mail, spawn_sealpost};

fn check_invalid_key(answer: &Answer) {
    let body = json!({ "status": "error", "code": -1, "name": "Invalid_Key", "message": "Invalid API key" });
    assert_eq!((answer.status, &answer.body), (401, &body));
}

async fn ping(key: &SendingKey, shown: &Value) -> Answer {
    key.0
        .door
        .post("/api/1.0/users/ping2.json", &json!({ "key": shown }))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_key_is_an_invalid_one_and_leaves_no_record() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let before = sealpost.head();
    let good = &key.0.key;
    let last = if good.ends_with('0') { '1' } else { '0' };
    let mistyped = format!("{}{last}", &good[..good.len() - 1]);
    for shown in ["", "no-key", "ABCdefGHIjklMNOpqrSTUv", &mistyped, &good.to_uppercase()] {
        check_invalid_key(&ping(&key, &json!(shown)).await);
    }
    let missing = key.0.door.post("/api/1.0/users/ping2.json", &json!({})).await;
    assert_eq!(
        missing.mandrill_error(),
        (422, "ValidationError", "You must specify a key value")
    );
    let number = ping(&key, &json!(7)).await;
    assert_eq!(number.mandrill_error().1, "ValidationError");
    assert_eq!(sealpost.recorded_after(before).await, Vec::<String>::new());
    assert_eq!(ping(&key, &json!(good)).await.ok(), json!({ "PING": "PONG!" }));
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_is_an_invalid_one_and_its_use_is_on_record() {
    let sealpost = spawn_sealpost().await;
    let (key, manager) = (sealpost.sending_key().await, sealpost.management_key().await);
    key.send(mandrill_mail(&["ann@inbox.test"])).await;
    sealpost.inbox.wait_for(1).await;
    manager.act("revoke", &key.0.id).await.ok();
    let mail = json!({ "message": mandrill_mail(&["ann@inbox.test"]) });
    for _ in 0..3 {
        check_invalid_key(&key.mandrill("messages/send", mail.clone()).await);
    }
    check_invalid_key(&key.mandrill("users/info", json!({})).await);
    let sealpost = sealpost.restart().await;
    let door = sealpost.anonymous();
    let mut members = mail.clone();
    members["key"] = key.0.key.as_str().into();
    check_invalid_key(&door.post("/api/1.3/messages/send", &members).await);
    let recorded = sealpost.recorded_after(0).await;
    let count = |kind: &str| recorded.iter().filter(|event| *event == kind).count();
    assert_eq!(count("KeyRevoked"), 1);
    assert_eq!(count("MessageAccepted"), 1, "nothing after the revoke");
    assert!(
        (1..=2).contains(&count("KeyUseRefused")),
        "once in ten minutes and per run, not for every call: {recorded:?}"
    );
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_of_the_key_is_no_invalid_key() {
    let sealpost = spawn_sealpost().await;
    let manager = sealpost.management_key().await;
    for limits in [
        json!({ "methods": ["messages/info"] }),
        json!({ "expires_at": "2026-01-01T00:00:00.000Z" }),
        json!({ "not_before": "2126-01-01T00:00:00.000Z" }),
    ] {
        let issued = manager.issue(&json!({ "limits": limits })).await.ok();
        let before = sealpost.head();
        let answer = sealpost.with_key(&issued).mandrill("users/ping", json!({})).await;
        let (status, name, text) = answer.mandrill_error();
        assert_eq!((status, name), (403, "Invalid_Key"), "{limits}");
        assert_ne!(text, "Invalid API key", "the caller can tell the two apart");
        assert_eq!(sealpost.recorded_after(before).await, ["KeyUseRefused"], "{limits}");
    }
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_account_s_messages_do_not_exist() {
    let sealpost = spawn_sealpost().await;
    let (key, stranger) = (sealpost.sending_key().await, sealpost.stranger("other.example").await);
    let sent = key.send(mandrill_mail(&["ann@inbox.test"])).await;
    let id = sent[0]["_id"].as_str().unwrap();
    sealpost.until(id, "MessageDelivered").await;
    for method in ["messages/info", "messages/content"] {
        let own = key.mandrill(method, json!({ "id": id })).await.ok();
        assert_eq!(own["_id"], id);
        for unknown in [id, "0123456789abcdef0123456789abcdef", "no-id", ""] {
            let answer = stranger.mandrill(method, json!({ "id": unknown })).await;
            let text = format!("No message exists with the id '{unknown}'");
            assert_eq!(
                answer.mandrill_error(),
                (404, "Unknown_Message", text.as_str()),
                "{method}"
            );
        }
    }
    let found = stranger
        .mandrill("messages/search", json!({ "query": "ann@inbox.test" }))
        .await;
    assert_eq!(found.ok(), json!([]));
    sealpost.stop().await;
}
