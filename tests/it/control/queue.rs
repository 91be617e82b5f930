//! What waits: listed page by page, held, released, discarded, and what each state refuses.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Sealpost, SendingKey, spawn_sealpost, v1_mail};

/// Sends a mail that waits, since nothing leads to its domain.
async fn waiting(sealpost: &Sealpost, key: &SendingKey) -> String {
    let sent = key.send_v1(&v1_mail(&["ann@nowhere.test"])).await;
    let id = sent[0]["id"].as_str().unwrap().to_owned();
    sealpost.until(&id, "DeliveryDeferred").await;
    id
}

async fn state(sealpost: &Sealpost, id: &str) -> Value {
    let shown = sealpost.control().get(&format!("/messages/{id}")).await.ok();
    shown["state"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_held_released_and_discarded() {
    let sealpost = spawn_sealpost().await;
    let (key, control) = (sealpost.sending_key().await, sealpost.control());
    let id = waiting(&sealpost, &key).await;
    let act = async |verb: &str| control.post(&format!("/queue/{id}/{verb}"), &json!({})).await;
    assert_eq!(act("release").await.problem(), (409, "message_not_held"));
    act("hold").await.ok();
    assert_eq!(state(&sealpost, &id).await, "held");
    assert_eq!(act("hold").await.problem(), (409, "message_held"));
    sealpost.clock.advance(Duration::from_secs(3_600));
    act("release").await.ok();
    // Its time came while it was held: it is tried at once.
    sealpost.until(&id, "DeliveryDeferred").await;
    act("discard").await.ok();
    assert_eq!(state(&sealpost, &id).await, "discarded");
    for verb in ["hold", "release", "discard"] {
        assert_eq!(act(verb).await.problem(), (409, "message_finished"), "{verb}");
    }
    let history = sealpost.until(&id, "MessageDiscarded").await;
    let deferred = history.iter().filter(|event| *event == "DeliveryDeferred").count();
    assert_eq!((deferred, sealpost.inbox.count()), (2, 0), "{history:?}");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_is_listed_page_by_page() {
    let sealpost = spawn_sealpost().await;
    let (key, control) = (sealpost.sending_key().await, sealpost.control());
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(waiting(&sealpost, &key).await);
    }
    let (mut listed, mut path) = (Vec::new(), "/queue?limit=2".to_owned());
    loop {
        let page = control.get(&path).await.ok();
        assert_eq!(
            page["counts"],
            json!({ "queued": 5, "held": 0, "in_flight": 0, "parked": 0 })
        );
        let messages = page["messages"].as_array().unwrap();
        assert!((1..=2).contains(&messages.len()), "{page}");
        listed.extend(messages.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => path = format!("/queue?limit=2&after={next}"),
            None => break,
        }
    }
    listed.sort();
    all.sort();
    assert_eq!(listed, all);
    for limit in ["0", "1001", "many"] {
        let answer = control.get(&format!("/queue?limit={limit}")).await;
        assert_eq!(answer.problem(), (422, "validation_failed"), "{limit}");
    }
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_tells_how_the_program_is() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    waiting(&sealpost, &key).await;
    let status = sealpost.control().get("/status").await.ok();
    assert_eq!(
        (&status["ready"], &status["queue"]["queued"]),
        (&json!(true), &json!(1)),
        "{status}"
    );
    assert_eq!(status["head"], sealpost.head());
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_being_delivered_is_left_alone_until_its_attempt_is_over() {
    let sealpost = spawn_sealpost().await;
    let (key, control) = (sealpost.sending_key().await, sealpost.control());
    sealpost.inbox.shut();
    let sent = key.send_v1(&v1_mail(&["ann@inbox.test"])).await;
    let id = sent[0]["id"].as_str().unwrap().to_owned();
    sealpost.inbox.wait_at_door(1).await;
    let act = async |verb: &str| control.post(&format!("/queue/{id}/{verb}"), &json!({})).await;
    for verb in ["hold", "discard"] {
        assert_eq!(act(verb).await.problem(), (409, "message_in_flight"), "{verb}");
    }
    sealpost.inbox.open();
    sealpost.until(&id, "MessageDelivered").await;
    assert_eq!(act("hold").await.problem(), (409, "message_finished"));
    assert_eq!(sealpost.inbox.count(), 1);
    sealpost.stop().await;
}
