//! `/v1/messages`: sends, and shows what became of one.

use serde_json::{Value, json};

use crate::support::{spawn_sealpost, v1_mail};

fn id(sent: &Value) -> &str {
    sent["id"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_is_accepted_delivered_and_shown_with_its_timeline() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let mail = json!({
        "from": { "email": "shop@example.org", "name": "Shop" },
        "to": ["ann@inbox.test"],
        "subject": "Your order",
        "text": "Thank you.",
        "tags": ["order"],
        "metadata": { "order": 12 },
        "expires_in_s": 3600,
    });
    let answer = key.0.post("/v1/messages", &mail).await;
    assert_eq!(answer.status, 202);
    let request = answer.header("x-request-id").to_owned();
    let sent = &answer.body["messages"][0];
    assert_eq!(
        *sent,
        json!({ "id": id(sent), "to": "ann@inbox.test", "status": "accepted", "reason": null })
    );
    let history = sealpost.until(id(sent), "MessageDelivered").await;
    let shown = key.0.get(&format!("/v1/messages/{}", id(sent))).await.ok();
    for (name, value) in [
        ("state", json!("delivered")),
        ("from", json!("shop@example.org")),
        ("to", json!("ann@inbox.test")),
        ("subject", json!("Your order")),
        ("tags", json!(["order"])),
        ("metadata", json!({ "order": 12 })),
        ("key", json!(key.0.id)),
        ("account", json!(sealpost.account)),
        ("client_ip", json!("127.0.0.1")),
        ("request", json!(request)),
        ("tls_required", json!("plain")),
    ] {
        assert_eq!(shown[name], value, "{name}: {shown}");
    }
    let timeline = shown["timeline"].as_array().unwrap();
    let events: Vec<_> = timeline.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, history);
    assert_eq!(timeline[2]["reply"]["code"], 250);
    let attempts = shown["attempts"].as_array().unwrap();
    assert_eq!((attempts.len(), &attempts[0]["result"]), (1, &json!("delivered")));
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_recipient_has_an_answer_and_a_reason() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let mut mail = v1_mail(&["ann@inbox.test", "nobody"]);
    mail["cc"] = json!([{ "email": "bob@inbox.test", "name": "Bob" }]);
    mail["bcc"] = json!(["gone@reject.test"]);
    let sent = key.send_v1(&mail).await;
    let words: Vec<_> = sent
        .iter()
        .map(|one| (one["status"].as_str().unwrap(), one["reason"].as_str()))
        .collect();
    let accepted = ("accepted", None);
    assert_eq!(
        words,
        [accepted, ("rejected", Some("invalid_recipient")), accepted, accepted]
    );
    sealpost.until(id(&sent[3]), "MessageBounced").await;
    let again = key.send_v1(&v1_mail(&["gone@reject.test"])).await;
    assert_eq!(
        (&again[0]["status"], &again[0]["reason"]),
        (&json!("rejected"), &json!("hard_bounce"))
    );
    let mut foreign = v1_mail(&["ann@inbox.test"]);
    foreign["from"] = "boss@other.example".into();
    let sent = key.send_v1(&foreign).await;
    assert_eq!(sent[0]["reason"], "unsigned");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demand_for_tls_holds_what_only_a_plain_server_would_take() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let mut mail = v1_mail(&["ann@inbox.test"]);
    mail["tls"] = "encrypted".into();
    let sent = key.send_v1(&mail).await;
    sealpost.until(id(&sent[0]), "DeliveryDeferred").await;
    let shown = key.0.get(&format!("/v1/messages/{}", id(&sent[0]))).await.ok();
    assert_eq!(
        (&shown["state"], &shown["tls_required"]),
        (&json!("deferred"), &json!("encrypted"))
    );
    assert_eq!(sealpost.inbox.count(), 0, "not one byte of it went out in clear");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_its_account_s_alone() {
    let sealpost = spawn_sealpost().await;
    let (key, stranger) = (sealpost.sending_key().await, sealpost.stranger("other.example").await);
    let sent = key.send_v1(&v1_mail(&["ann@inbox.test"])).await;
    for unknown in [id(&sent[0]), "0123456789abcdef0123456789abcdef", "no-id"] {
        let answer = stranger.0.get(&format!("/v1/messages/{unknown}")).await;
        assert_eq!(answer.problem(), (404, "unknown_message"), "{unknown}");
    }
    sealpost.stop().await;
}
