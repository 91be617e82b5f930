//! A start over a log of which something cannot be read, or over a spool that is far behind: what it concerns stands
//! aside, and all else is served.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{LogFile, Sealpost, spawn_sealpost, v1_mail};

const UNREADABLE: &str = r#"{"KeyBorrowed":{"by":"a newer program"}}"#;

/// Takes the read models away, so that they are built again from the log.
fn forget_read_models(data: &Path) {
    std::fs::remove_dir_all(data.join("read")).unwrap();
}

async fn queue(sealpost: &Sealpost) -> Value {
    sealpost.control().get("/queue").await.ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_cannot_be_read_is_parked_until_it_can_and_its_neighbour_sends() {
    let sealpost = spawn_sealpost().await;
    let (key, neighbour) = (sealpost.sending_key().await, sealpost.stranger("other.example").await);
    let (log, account) = (LogFile::of(&sealpost.config), sealpost.account.clone());
    let (mut opened, before) = (String::new(), sealpost.head());
    let sealpost = sealpost
        .restart_after(async || opened = log.replace_payload("AccountOpened", &account, UNREADABLE))
        .await;
    let door = sealpost.server.addresses().plain.unwrap();
    let (key, neighbour) = (key.at(door), neighbour.at(door));
    let mail = v1_mail(&["ann@inbox.test"]);
    let refused = key.0.post("/v1/messages", &mail).await;
    assert_eq!(refused.problem(), (503, "account_parked"));
    let mut of_neighbour = mail.clone();
    of_neighbour["from"] = "news@other.example".into();
    assert_eq!(neighbour.send_v1(&of_neighbour).await[0]["status"], "accepted");
    assert_eq!(sealpost.inbox.wait_for(1).await.len(), 1);
    let control = sealpost.control();
    assert_eq!(control.get("/status").await.ok()["parked_accounts"], json!([account]));

    // To let it go helps nothing as long as it cannot be read.
    let unpark = format!("/accounts/{account}/unpark");
    control.post(&unpark, &json!({})).await.ok();
    let refused = key.0.post("/v1/messages", &mail).await;
    assert_eq!(refused.problem(), (503, "account_parked"));
    log.replace_payload("AccountOpened", &account, &opened);
    control.post(&unpark, &json!({})).await.ok();
    assert_eq!(key.send_v1(&mail).await[0]["status"], "accepted");
    assert_eq!(sealpost.inbox.wait_for(2).await.len(), 2);
    let recorded = sealpost.recorded_after(before).await;
    for (event, times) in [("ActorParked", 2), ("ActorUnparked", 2)] {
        assert_eq!(
            recorded.iter().filter(|one| *one == event).count(),
            times,
            "{recorded:?}"
        );
    }
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_cannot_be_read_stands_aside_and_is_never_sent_again() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let sent = key
        .send_v1(&v1_mail(&["ann@inbox.test", "bob@nowhere.test", "eve@nowhere.test"]))
        .await;
    let [delivered, unread, waits] = [0, 1, 2].map(|number| sent[number]["id"].as_str().unwrap().to_owned());
    sealpost.until(&delivered, "MessageDelivered").await;
    for waiting in [&unread, &waits] {
        sealpost.until(waiting, "DeliveryDeferred").await;
    }
    let (log, data) = (LogFile::of(&sealpost.config), sealpost.config.data.clone());
    let before = sealpost.head();
    // Of the first one it looks as if its attempt had never ended.
    let sealpost = sealpost
        .restart_after(async || {
            log.replace_payload("MessageDelivered", &delivered, UNREADABLE);
            log.replace_payload("MessageAccepted", &unread, UNREADABLE);
            forget_read_models(&data);
        })
        .await;
    let listed = queue(&sealpost).await;
    assert_eq!(listed["counts"]["parked"], 2, "{listed}");
    let mut aside: Vec<&str> = listed["parked"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_str().unwrap())
        .collect();
    aside.sort_unstable();
    let mut expected = [delivered.as_str(), unread.as_str()];
    expected.sort_unstable();
    assert_eq!(aside, expected, "{listed}");
    let queued: Vec<&Value> = listed["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["id"])
        .collect();
    assert_eq!(queued, [waits.as_str()], "{listed}");
    let door = sealpost.server.addresses().plain.unwrap();
    let more = key.at(door).send_v1(&v1_mail(&["kim@inbox.test"])).await;
    sealpost
        .until(more[0]["id"].as_str().unwrap(), "MessageDelivered")
        .await;
    assert_eq!(sealpost.inbox.wait_for(2).await.len(), 2, "one each");
    assert!(
        !sealpost
            .recorded_after(before)
            .await
            .contains(&"DeliveryInDoubt".to_owned())
    );
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_is_accepted_while_the_spool_is_behind_and_goes_out_when_it_is_not() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let first = key.send_v1(&v1_mail(&["ann@nowhere.test"])).await;
    sealpost
        .until(first[0]["id"].as_str().unwrap(), "DeliveryDeferred")
        .await;
    let (log, data) = (LogFile::of(&sealpost.config), sealpost.config.data.clone());
    let before = sealpost.head();
    let sealpost = sealpost
        .restart_with_patience(Duration::from_millis(50), async || {
            log.rename_streams("message", "massage");
            forget_read_models(&data);
        })
        .await;
    let ready = sealpost.anonymous().get("/readyz").await;
    assert_eq!(ready.status, 503);
    let door = sealpost.server.addresses().plain.unwrap();
    let key = key.at(door);
    let sent = key.send_v1(&v1_mail(&["bob@inbox.test"])).await;
    assert_eq!(sent[0]["status"], "accepted");
    let id = sent[0]["id"].as_str().unwrap();
    // In the time that these take, the first one would be on its way.
    for number in 0..40 {
        let mail = v1_mail(&[format!("bob{number}@inbox.test").as_str()]);
        assert_eq!(key.send_v1(&mail).await[0]["status"], "accepted");
    }
    let recorded = sealpost.recorded_after(before).await;
    assert!(!recorded.contains(&"DeliveryStarted".to_owned()), "{recorded:?}");
    log.rename_streams("massage", "message");
    sealpost.until(id, "MessageDelivered").await;
    assert_eq!(sealpost.inbox.wait_for(41).await.len(), 41);
    sealpost.stop().await;
}
