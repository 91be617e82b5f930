//! `/v1/keys`: issued, listed, revoked, frozen, thawed, and by whom.

use serde_json::{Value, json};

use crate::support::{SendingKey, spawn_sealpost, v1_mail};

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issued_key_is_shown_once_and_works_at_once() {
    let sealpost = spawn_sealpost().await;
    let manager = sealpost.management_key().await;
    let limits = json!({ "recipient_domains": ["inbox.test"], "from_domains": ["example.org"] });
    let wanted = json!({ "label": "CI", "kind": "sending", "world": "live", "limits": limits });
    let answer = manager.issue(&wanted).await;
    assert_eq!(answer.status, 201);
    let issued = answer.ok();
    assert!(text(&issued, "key").starts_with("spk_live_"), "{issued}");
    let key = sealpost.with_key(&issued);
    assert_eq!(
        key.send_v1(&v1_mail(&["ann@inbox.test"])).await[0]["status"],
        "accepted"
    );

    let keys = manager.keys().await;
    let listed = keys.iter().find(|one| one["id"] == issued["id"]).expect("it is listed");
    for (name, value) in [
        ("label", json!("CI")),
        ("kind", json!("sending")),
        ("world", json!("live")),
        ("state", json!("active")),
        ("limits", limits),
        ("display", issued["display"].clone()),
    ] {
        assert_eq!(listed[name], value, "{name}");
    }
    let all = Value::from(keys).to_string();
    assert!(!all.contains(text(&issued, "key")), "the list shows no key in clear");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sending_key_manages_nothing_and_its_try_is_on_record() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let before = sealpost.head();
    let id = &key.0.id;
    let mut answers = vec![
        key.0.get("/v1/keys").await,
        key.0.post("/v1/keys", &json!({ "kind": "management" })).await,
    ];
    for verb in ["revoke", "freeze", "thaw"] {
        answers.push(key.0.post(&format!("/v1/keys/{id}/{verb}"), &json!({})).await);
    }
    for answer in answers {
        assert_eq!(answer.problem(), (403, "management_key_required"));
    }
    assert_eq!(
        sealpost.recorded_after(before).await,
        ["KeyUseRefused"],
        "once for all of them"
    );
    assert_eq!(
        key.send_v1(&v1_mail(&["ann@inbox.test"])).await[0]["status"],
        "accepted"
    );
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_is_over_and_says_so_in_the_list() {
    let sealpost = spawn_sealpost().await;
    let (key, manager) = (sealpost.sending_key().await, sealpost.management_key().await);
    let revoked = manager.act("revoke", &key.0.id).await.ok();
    assert_eq!(revoked["id"], key.0.id);
    assert!(
        revoked["position"].as_u64().unwrap() <= sealpost.head(),
        "it is on disk when it is answered"
    );
    let refused = key.0.post("/v1/messages", &v1_mail(&["ann@inbox.test"])).await;
    assert_eq!(refused.problem(), (401, "invalid_key"));
    let keys = manager.keys().await;
    let listed = keys
        .iter()
        .find(|one| one["id"] == key.0.id)
        .expect("it is listed still");
    assert_eq!(listed["state"], "revoked");
    for verb in ["revoke", "freeze", "thaw"] {
        assert_eq!(
            manager.act(verb, &key.0.id).await.problem(),
            (409, "key_revoked"),
            "{verb}"
        );
    }
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_key_holds_and_a_thawed_one_lets_go_even_after_a_restart() {
    let sealpost = spawn_sealpost().await;
    let (key, manager) = (sealpost.sending_key().await, sealpost.management_key().await);
    let frozen = manager.act("freeze", &key.0.id).await.ok();
    assert_eq!(frozen["begun"], json!([]));
    let sent = key.send_v1(&v1_mail(&["ann@inbox.test"])).await;
    assert_eq!(
        (&sent[0]["status"], &sent[0]["reason"]),
        (&json!("held"), &json!("key_frozen"))
    );
    assert_eq!(manager.act("freeze", &key.0.id).await.problem(), (409, "key_frozen"));
    let id = text(&sent[0], "id").to_owned();

    let sealpost = sealpost.restart().await;
    let manager = sealpost.management_key().await;
    manager.act("thaw", &key.0.id).await.ok();
    assert_eq!(manager.act("thaw", &key.0.id).await.problem(), (409, "key_not_frozen"));
    sealpost.until(&id, "MessageDelivered").await;
    assert_eq!(sealpost.inbox.wait_for(1).await.len(), 1);
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_management_key_may_do_nothing_and_does_not_thaw_itself() {
    let sealpost = spawn_sealpost().await;
    let (leaked, owner) = (sealpost.management_key().await, sealpost.management_key().await);
    owner.act("freeze", &leaked.0.id).await.ok();
    let successor = json!({ "label": "mine", "kind": "management", "world": "live" });
    for answer in [
        leaked.act("thaw", &leaked.0.id).await,
        leaked.act("revoke", &owner.0.id).await,
        leaked.issue(&successor).await,
        leaked.0.get("/v1/keys").await,
        leaked.0.post("/v1/messages", &v1_mail(&["ann@inbox.test"])).await,
    ] {
        assert_eq!(answer.problem(), (403, "management_key_frozen"));
    }
    let keys = owner.keys().await;
    let listed = keys.iter().find(|one| one["id"] == leaked.0.id).expect("it is listed");
    assert_eq!(listed["state"], "frozen");

    let sealpost = sealpost.restart().await;
    let refused = sealpost.with_key(&json!({ "key": leaked.0.key, "id": leaked.0.id }));
    assert_eq!(
        refused.0.get("/v1/keys").await.problem(),
        (403, "management_key_frozen")
    );
    sealpost.management_key().await.act("thaw", &leaked.0.id).await.ok();
    refused.0.get("/v1/keys").await.ok();
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_another_account_do_not_exist() {
    let sealpost = spawn_sealpost().await;
    let (manager, stranger) = (
        sealpost.management_key().await,
        sealpost.stranger("other.example").await,
    );
    for unknown in [stranger.0.id.as_str(), "0123456789abcdef0123456789abcdef", "no-id"] {
        for verb in ["revoke", "freeze", "thaw"] {
            let answer = manager.act(verb, unknown).await;
            assert_eq!(answer.problem(), (404, "unknown_key"), "{verb} {unknown}");
        }
    }
    assert!(manager.keys().await.iter().all(|one| one["id"] != stranger.0.id));
    let mut mail = v1_mail(&["ann@inbox.test"]);
    mail["from"] = "boss@other.example".into();
    assert_eq!(stranger.send_v1(&mail).await[0]["status"], "accepted");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_key_sends_no_real_mail() {
    let sealpost = spawn_sealpost().await;
    let manager = sealpost.management_key().await;
    let issued = manager.issue(&json!({ "world": "test" })).await.ok();
    assert!(text(&issued, "key").starts_with("spk_test_"), "{issued}");
    let key = sealpost.with_key(&issued);
    let answer = key.0.post("/v1/messages", &v1_mail(&["ann@inbox.test"])).await;
    assert_eq!(answer.problem(), (403, "test_key_cannot_send"));
    assert_eq!(key.mandrill("users/ping", json!({})).await.ok(), "PONG!");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_key_sees_no_real_mail() {
    let sealpost = spawn_sealpost().await;
    let manager = sealpost.management_key().await;
    let test = sealpost.with_key(&manager.issue(&json!({ "world": "test" })).await.ok());
    let live = sealpost.sending_key().await;
    let sent = live.send_v1(&v1_mail(&["ann@inbox.test"])).await;
    let id = text(&sent[0], "id");
    sealpost.until(id, "MessageDelivered").await;
    for method in ["messages/info", "messages/content"] {
        live.mandrill(method, json!({ "id": id })).await.ok();
        let answer = test.mandrill(method, json!({ "id": id })).await;
        assert_eq!(answer.mandrill_error().1, "Unknown_Message", "{method}");
    }
    let path = format!("/v1/messages/{id}");
    live.0.get(&path).await.ok();
    assert_eq!(test.0.get(&path).await.problem(), (404, "unknown_message"));
    let found = async |key: &SendingKey| key.mandrill("messages/search", json!({})).await.ok();
    assert_eq!(found(&live).await.as_array().unwrap().len(), 1);
    assert_eq!(found(&test).await, json!([]));
    let sent =
        async |key: &SendingKey| key.mandrill("users/info", json!({})).await.ok()["stats"]["all_time"]["sent"].clone();
    assert_eq!((sent(&live).await, sent(&test).await), (json!(1), json!(0)));
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_that_is_not_built_is_refused_and_nothing_of_it_is_stored() {
    let sealpost = spawn_sealpost().await;
    let manager = sealpost.management_key().await;
    let before = sealpost.head();
    for (name, limit) in [
        ("from_mailboxes", json!(["ann@example.org"])),
        ("networks", json!(["192.0.2.0/24"])),
        ("messages_per_hour_max", json!(5)),
    ] {
        let answer = manager.issue(&json!({ "limits": { name: limit } })).await;
        assert_eq!(answer.problem(), (422, "limit_not_built"));
        assert_eq!(answer.body["field"], format!("limits.{name}"));
    }
    assert_eq!(sealpost.head(), before);
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_key_gives_to_another_what_it_has_not_itself() {
    let sealpost = spawn_sealpost().await;
    let manager = sealpost.management_key().await;
    let of_test = json!({ "kind": "management", "world": "test" });
    let limits = json!({ "recipient_domains": ["inbox.test", "reject.test"] });
    let limited = json!({ "kind": "management", "limits": limits });
    for (wanted, narrower) in [
        (of_test, json!({ "world": "test" })),
        (limited, json!({ "limits": { "recipient_domains": ["inbox.test"] } })),
    ] {
        let issued = manager.issue(&wanted).await.ok();
        let key = sealpost.with_key(&issued).0;
        let answer = key.post("/v1/keys", &json!({})).await;
        assert_eq!(answer.problem(), (403, "key_not_allowed"), "{wanted}");
        assert_eq!(key.post("/v1/keys", &narrower).await.status, 201, "{wanted}");
    }
    sealpost.stop().await;
}
