//! `Idempotency-Key`: a repeat gets the first answer, and nobody gets a second mail.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, SendingKey, mandrill_mail, spawn_sealpost, v1_mail};

async fn send(key: &SendingKey, idempotency: &str, body: &Value) -> Answer {
    let request = key.0.request(Method::POST, "/v1/messages");
    key.0
        .door
        .send(request.header("Idempotency-Key", idempotency).json(body))
        .await
}

fn ids(answer: &Answer) -> Vec<&str> {
    let messages = answer.body["messages"].as_array();
    let messages = messages.unwrap_or_else(|| panic!("{} {}", answer.status, answer.body));
    messages.iter().map(|one| one["id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_gets_the_first_answer_and_sends_nothing() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let mail = v1_mail(&["ann@inbox.test", "nobody", "bob@inbox.test"]);
    let first = send(&key, "order-12", &mail).await;
    assert_eq!(first.status, 202);
    sealpost.inbox.wait_for(2).await;
    let before = sealpost.recorded_after(0).await;
    // The members in another order are the same request.
    let shuffled = json!({ "text": mail["text"], "subject": mail["subject"], "to": mail["to"], "from": mail["from"] });
    for body in [&mail, &shuffled, &mail] {
        let repeat = send(&key, "order-12", body).await;
        assert_eq!((repeat.status, &repeat.body), (first.status, &first.body));
    }
    let other = send(&key, "order-13", &mail).await;
    assert_ne!(ids(&other), ids(&first));
    assert_eq!(
        sealpost.inbox.wait_for(4).await.len(),
        4,
        "the other key's two and no more"
    );

    let key = key.0.key.clone();
    let sealpost = sealpost.restart().await;
    let key = sealpost.with_key(&json!({ "key": key, "id": "" }));
    let repeat = send(&key, "order-12", &mail).await;
    assert_eq!(repeat.body, first.body, "after a restart too");
    let accepted = |events: &[String]| events.iter().filter(|event| *event == "MessageAccepted").count();
    assert_eq!(accepted(&before), 2);
    assert_eq!(accepted(&sealpost.recorded_after(0).await), 4);
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_request_with_the_same_key_is_refused() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    send(&key, "order-12", &v1_mail(&["ann@inbox.test"])).await.ok();
    let before = sealpost.head();
    let mut changed = v1_mail(&["ann@inbox.test"]);
    changed["subject"] = "Another".into();
    for body in [
        &changed,
        &v1_mail(&["bob@inbox.test"]),
        &v1_mail(&["ann@inbox.test", "bob@inbox.test"]),
    ] {
        let answer = send(&key, "order-12", body).await;
        assert_eq!(answer.problem(), (422, "idempotency_key_reused"), "{body}");
    }
    // The other API is another request as well, with Mandrill's words.
    let members = json!({ "key": key.0.key, "message": mandrill_mail(&["ann@inbox.test"]) });
    let request = key.0.door.request(Method::POST, "/api/1.0/messages/send");
    let request = request.header("Idempotency-Key", "order-12").json(&members);
    assert_eq!(key.0.door.send(request).await.mandrill_error().1, "ValidationError");
    let recorded = sealpost.recorded_after(before).await;
    assert!(!recorded.iter().any(|event| event == "MessageAccepted"), "{recorded:?}");
    for bad in ["", "a b", &"k".repeat(256)] {
        let answer = send(&key, bad, &v1_mail(&["ann@inbox.test"])).await;
        assert_eq!(answer.problem(), (422, "validation_failed"), "{bad:?}");
        assert_eq!(answer.body["field"], "Idempotency-Key");
    }
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_calls_at_once_are_one_call() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let mail = v1_mail(&["ann@inbox.test", "bob@inbox.test"]);
    for round in 0..5 {
        let idempotency = format!("round-{round}");
        let answers = join_all((0..12).map(|_| send(&key, &idempotency, &mail))).await;
        for answer in &answers {
            assert_eq!((answer.status, ids(answer)), (202, ids(&answers[0])));
        }
    }
    sealpost.inbox.wait_for(10).await;
    let recorded = sealpost.recorded_after(0).await;
    let accepted = recorded.iter().filter(|event| *event == "MessageAccepted").count();
    assert_eq!((accepted, sealpost.inbox.count()), (10, 10));
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_different_calls_at_once_one_is_taken() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let mails: Vec<Value> = (0..8)
        .map(|n| v1_mail(&[format!("reader-{n}@inbox.test").as_str()]))
        .collect();
    let answers = join_all(mails.iter().map(|mail| send(&key, "one", mail))).await;
    let (taken, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 202);
    assert_eq!((taken.len(), refused.len()), (1, 7));
    for answer in refused {
        assert_eq!(answer.problem(), (422, "idempotency_key_reused"));
    }
    assert_eq!(sealpost.inbox.wait_for(1).await.len(), 1);
    let recorded = sealpost.recorded_after(0).await;
    assert_eq!(recorded.iter().filter(|event| *event == "MessageAccepted").count(), 1);
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_do_not_share_their_keys() {
    let sealpost = spawn_sealpost().await;
    let (key, stranger) = (sealpost.sending_key().await, sealpost.stranger("other.example").await);
    let mail = v1_mail(&["ann@inbox.test"]);
    let own = send(&key, "order-12", &mail).await;
    let others = send(&stranger, "order-12", &mail).await;
    assert_ne!(ids(&own), ids(&others));
    assert_eq!(others.body["messages"][0]["reason"], "unsigned", "it is judged anew");
    sealpost.stop().await;
}
