//! What watches the program asks: health, readiness, metrics, and the id of each request.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;

use crate::support::{spawn_sealpost, spawn_sealpost_with, v1_mail};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_program_is_healthy_and_ready() {
    let sealpost = spawn_sealpost().await;
    let nobody = sealpost.anonymous();
    assert_eq!(nobody.get("/healthz").await.ok(), json!({ "status": "ok" }));
    let ready = nobody.get("/readyz").await.ok();
    assert_eq!(
        (&ready["ready"], &ready["parts"]["log"]["state"]),
        (&json!(true), &json!("serving"))
    );
    let projections = ready["parts"]["projections"].as_array().unwrap();
    let names: Vec<_> = projections.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["spool", "activity", "message_timeline"]);
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_count_requests_and_name_nobody() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    key.send_v1(&v1_mail(&["ann@inbox.test"])).await;
    let answer = sealpost.anonymous().get("/metrics").await;
    assert!(answer.header("content-type").starts_with("text/plain"), "{answer:?}");
    let text = answer.body.as_str().unwrap().to_owned();
    assert!(
        text.lines()
            .any(|line| line.starts_with("sealpost_http_requests_total") && line.contains("\"/v1/messages\"")),
        "{text}"
    );
    for secret in ["ann@inbox.test", "example.org", key.0.key.as_str(), key.0.id.as_str()] {
        assert!(!text.contains(secret), "{secret}");
    }
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_healthy_and_not_ready() {
    let sealpost = spawn_sealpost_with(|config| config.disk.accept_mark_bytes = u64::MAX).await;
    let nobody = sealpost.anonymous();
    assert_eq!(nobody.get("/healthz").await.status, 200);
    let ready = nobody.get("/readyz").await;
    assert_eq!((ready.status, &ready.body["ready"]), (503, &json!(false)));
    assert_eq!(ready.body["parts"]["log"]["state"], "disk_mark");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_carries_an_id_of_its_own() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let mut seen = BTreeSet::new();
    let mut answers = vec![
        key.0.get("/v1/messages/0123456789abcdef0123456789abcdef").await,
        key.0.get("/no/such/path").await,
        key.0.post("/healthz", &json!({})).await,
        key.mandrill("users/ping", json!({})).await,
        key.mandrill("users/pong", json!({})).await,
        sealpost.anonymous().get("/v1/keys").await,
    ];
    // What a client writes into the header is not taken for an id.
    let request = key.0.request(Method::GET, "/healthz").header("x-request-id", "mine");
    answers.push(key.0.door.send(request).await);
    for answer in &answers {
        let id = answer.header("x-request-id");
        assert!(
            id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{id:?}"
        );
        assert!(seen.insert(id), "{id} twice");
    }
    assert_eq!(answers[0].problem(), (404, "unknown_message"));
    assert_eq!(answers[1].problem(), (404, "unknown_route"));
    assert_eq!(answers[2].problem(), (405, "method_not_allowed"));
    assert_eq!(answers[5].problem(), (401, "missing_key"));
    sealpost.stop().await;
}
