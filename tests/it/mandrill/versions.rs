//! Paths of Mandrill's API: every version, with and without a suffix, and what is none of them.

use reqwest::Method;
use serde_json::json;

use crate::support::{mandrill_mail, spawn_sealpost};

const METHODS: [&str; 7] = [
    "users/ping",
    "users/ping2",
    "users/info",
    "messages/send",
    "messages/info",
    "messages/content",
    "messages/search",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_method_answers_in_every_version_with_and_without_its_suffix() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let sent = key.send(mandrill_mail(&["ann@inbox.test"])).await;
    let id = sent[0]["_id"].as_str().unwrap();
    let members = json!({
        "key": key.0.key, "id": id, "query": "ann@inbox.test", "message": mandrill_mail(&["ann@inbox.test"]),
    });
    for version in ["1.0", "1.1", "1.2", "1.3", "1.4"] {
        for method in METHODS {
            for suffix in ["", ".json"] {
                let path = format!("/api/{version}/{method}{suffix}");
                let answer = key.0.door.post(&path, &members).await;
                assert_eq!(answer.status, 200, "{path}: {}", answer.body);
                assert_eq!(answer.header("content-type"), "application/json", "{path}");
            }
        }
    }
    // One by the first call, and one by each of 5 versions in 2 forms.
    assert_eq!(sealpost.inbox.wait_for(11).await.len(), 11);
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_call_is_answered_in_mandrill_s_form() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let members = json!({ "key": key.0.key });
    for path in [
        "/api/1.0/users/pong.json",
        "/api/1.5/users/ping",
        "/api/1.0/users/ping.xml",
        "/api/1.0/users/ping.php",
        "/api/1.0/users",
        "/api/1.0/users/ping/",
        "/api/",
    ] {
        let answer = key.0.door.post(path, &members).await;
        let (status, name, _) = answer.mandrill_error();
        assert_eq!((status, name), (404, "Unknown_Method"), "{path}");
    }
    for verb in [Method::GET, Method::PUT, Method::DELETE] {
        let request = key.0.door.request(verb.clone(), "/api/1.0/users/ping.json");
        let answer = key.0.door.send(request.json(&members)).await;
        assert_eq!(answer.mandrill_error().0, 405, "{verb}");
    }
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_is_read_whatever_its_content_type_says() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let body = json!({ "key": key.0.key }).to_string();
    for kind in [
        "application/json; charset=utf-8",
        "text/plain",
        "application/x-www-form-urlencoded",
    ] {
        let request = key.0.door.request(Method::POST, "/api/1.0/users/ping.json");
        let request = request.header("content-type", kind).body(body.clone());
        assert_eq!(key.0.door.send(request).await.ok(), "PONG!", "{kind}");
    }
    sealpost.stop().await;
}
