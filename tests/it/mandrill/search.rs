//! `messages/search` finds by sender, recipient, subject, tag, key and time, newest first.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{SendingKey, mandrill_mail, spawn_sealpost};

async fn subjects(key: &SendingKey, members: Value) -> Vec<String> {
    let found = key.mandrill("messages/search", members).await.ok();
    let found = found.as_array().unwrap();
    found
        .iter()
        .map(|one| one["subject"].as_str().unwrap().to_owned())
        .collect()
}

fn mail(to: &str, subject: &str, tag: &str) -> Value {
    let mut mail = mandrill_mail(&[to]);
    mail["subject"] = subject.into();
    mail["tags"] = json!([tag]);
    mail
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_finds_by_every_field_and_each_finds_the_same() {
    let sealpost = spawn_sealpost().await;
    let (first, second) = (sealpost.sending_key().await, sealpost.sending_key().await);
    first.send(mail("ann@inbox.test", "Invoice March", "billing")).await;
    sealpost.clock.advance(Duration::from_secs(3_600));
    second.send(mail("bob@inbox.test", "Invoice April", "billing")).await;
    sealpost.clock.advance(Duration::from_secs(3_600));
    first.send(mail("ann@inbox.test", "Welcome", "hello")).await;
    let (march, april, welcome) = ("Invoice March", "Invoice April", "Welcome");
    for (members, expected) in [
        (json!({}), vec![welcome, april, march]),
        (json!({ "limit": 2 }), vec![welcome, april]),
        (json!({ "query": "ann@inbox.test" }), vec![welcome, march]),
        (json!({ "query": "email:bob@inbox.test" }), vec![april]),
        (json!({ "query": "subject:invoice" }), vec![april, march]),
        (json!({ "query": "invoice AND email:ann@inbox.test" }), vec![march]),
        (json!({ "tags": ["billing"] }), vec![april, march]),
        (json!({ "senders": ["shop@example.org"] }), vec![welcome, april, march]),
        (json!({ "senders": ["other@example.org"] }), vec![]),
        (json!({ "api_keys": [second.0.key] }), vec![april]),
        (json!({ "api_keys": [first.0.id] }), vec![welcome, march]),
        (json!({ "api_keys": ["unknown"] }), vec![]),
        (json!({ "date_from": "2026-01-05 12:30:00" }), vec![welcome, april]),
        (json!({ "date_to": "2026-01-05 12:30:00" }), vec![march]),
        (
            json!({ "date_from": "2026-01-05", "date_to": "2026-01-05" }),
            vec![welcome, april, march],
        ),
        (json!({ "date_from": "2026-01-06" }), vec![]),
    ] {
        assert_eq!(subjects(&second, members.clone()).await, expected, "{members}");
    }
    sealpost.stop().await;
}
