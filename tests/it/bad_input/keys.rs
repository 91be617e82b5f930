//! Keys that are none: unknown, mistyped, revoked, of the wrong kind, missing.

use reqwest::Method;
use sealpost::access::KeySecret;
use sealpost_domain::rights::{KeyKind, KeyWorld};
use serde_json::json;

use super::case::{Refused, Watched, check_mandrill, check_v1};
use crate::support::{Answer, spawn_sealpost, v1_mail};

const INVALID_KEY: Refused = Refused {
    v1: (401, "invalid_key"),
    mandrill: (401, "Invalid_Key"),
};

async fn both(watched: &Watched, key: &str) -> [Answer; 2] {
    let door = &watched.key.0.door;
    let v1 = door.request(Method::POST, "/v1/messages").bearer_auth(key);
    let v1 = door.send(v1.json(&v1_mail(&["ann@inbox.test"]))).await;
    let mandrill = door
        .post("/api/1.3/messages/send.json", &json!({ "key": key, "message": {} }))
        .await;
    [v1, mandrill]
}

async fn check_invalid(watched: &Watched, name: &str, key: &str) {
    let [v1, mandrill] = both(watched, key).await;
    check_v1(name, &v1, INVALID_KEY, "");
    check_mandrill(name, &mandrill, INVALID_KEY, "Invalid API key");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_nobody_has_is_refused_and_counted_once_for_all() {
    let mut watched = Watched::new(spawn_sealpost().await).await;
    let good = watched.key.0.key.clone();
    let last = if good.ends_with('0') { '1' } else { '0' };
    let bad_checksum = format!("{}{last}", &good[..good.len() - 1]);
    check_invalid(&watched, "no key at all", "nothing-like-a-key").await;
    check_invalid(&watched, "a bad checksum", &bad_checksum).await;
    check_invalid(&watched, "cut off", &good[..good.len() - 1]).await;
    check_invalid(&watched, "a megabyte", &"k".repeat(100_000)).await;
    watched.check_unmoved("what has not the form of a key");

    let unknown = KeySecret::draw(KeyKind::Sending, KeyWorld::Live).unwrap();
    for _ in 0..5 {
        check_invalid(&watched, "unknown", unknown.expose()).await;
    }
    watched.check_serving().await;
    let sealpost = watched.sealpost.restart().await;
    let counted = sealpost.recorded_after(0).await;
    let counted = counted.iter().filter(|event| *event == "RefusalsCounted").count();
    assert!((1..=2).contains(&counted), "ten strangers are a number: {counted}");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_is_refused_and_its_use_recorded_once() {
    let mut watched = Watched::new(spawn_sealpost().await).await;
    let (revoked, manager) = (
        watched.sealpost.sending_key().await,
        watched.sealpost.management_key().await,
    );
    manager.act("revoke", &revoked.0.id).await.ok();
    watched
        .check_recorded("the revoke", &["KeyIssued", "KeyIssued", "KeyRevoked"])
        .await;
    check_invalid(&watched, "revoked", &revoked.0.key).await;
    watched.check_recorded("its use", &["KeyUseRefused"]).await;
    check_invalid(&watched, "revoked", &revoked.0.key).await;
    watched.check_unmoved("its second use");
    watched.check_serving().await;
    watched.sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_without_a_key_is_told_where_to_put_it() {
    let missing = Refused {
        v1: (401, "missing_key"),
        mandrill: (422, "ValidationError"),
    };
    let mut watched = Watched::new(spawn_sealpost().await).await;
    let (door, key) = (watched.key.0.door.clone(), watched.key.0.key.clone());
    let mail = v1_mail(&["ann@inbox.test"]);
    for authorization in [None, Some("Bearer "), Some("Basic dXNlcjpwYXNz"), Some(key.as_str())] {
        let mut request = door.request(Method::POST, "/v1/messages").json(&mail);
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        check_v1(&format!("{authorization:?}"), &door.send(request).await, missing, "");
    }
    // In a query string it would stand in the logs of proxies.
    let in_the_path = door.post(&format!("/v1/messages?key={key}"), &mail).await;
    check_v1("in the query", &in_the_path, missing, "");
    let in_the_path = door.post(&format!("/api/1.0/users/ping?key={key}"), &json!({})).await;
    check_mandrill("in the query", &in_the_path, missing, "You must specify a key value");
    watched.check_unmoved("no key");
    watched.check_serving().await;
    watched.sealpost.stop().await;
}
