//! Bodies that are wrong as a whole: no JSON, declared as something else, too large.

use reqwest::Method;
use serde_json::json;

use super::case::{INVALID, MALFORMED, Refused, Watched, check_mandrill, check_v1};
use crate::support::{mandrill_mail, spawn_sealpost, v1_mail};

const MIB: usize = 1024 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_json_object_is_malformed() {
    let mut watched = Watched::new(spawn_sealpost().await).await;
    let deep = "[".repeat(100_000);
    let bodies: [(&str, &[u8]); 10] = [
        ("nothing", b""),
        ("cut off", b"{\"from\":"),
        ("an array", b"[]"),
        ("a string", b"\"mail\""),
        ("null", b"null"),
        ("a comma too many", b"{\"from\":\"a@b.test\",}"),
        ("two objects", b"{}{}"),
        ("not UTF-8", b"{\"from\":\"\xff\xfe\"}"),
        ("a form", b"key=spk&from=a"),
        ("deeply nested", deep.as_bytes()),
    ];
    for (name, body) in bodies {
        let request = watched.key.0.request(Method::POST, "/v1/messages");
        let request = request.header("content-type", "application/json").body(body.to_vec());
        check_v1(name, &watched.key.0.door.send(request).await, MALFORMED, "");
        for path in ["/api/1.0/messages/send.json", "/api/1.3/users/ping"] {
            let request = watched.key.0.door.request(Method::POST, path);
            let request = request.header("content-type", "application/json").body(body.to_vec());
            check_mandrill(name, &watched.key.0.door.send(request).await, MALFORMED, "JSON");
        }
        watched.check_unmoved(name);
    }
    watched.check_serving().await;
    watched.sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_not_declared_as_json_is_not_read_by_v1() {
    let unsupported = Refused {
        v1: (415, "unsupported_media_type"),
        mandrill: (415, "ValidationError"),
    };
    let mut watched = Watched::new(spawn_sealpost().await).await;
    let body = v1_mail(&["ann@inbox.test"]).to_string();
    for kind in [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
    ] {
        let request = watched.key.0.request(Method::POST, "/v1/messages");
        let request = request.header("content-type", kind).body(body.clone());
        check_v1(kind, &watched.key.0.door.send(request).await, unsupported, "");
        watched.check_unmoved(kind);
    }
    watched.check_serving().await;
    watched.sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_26_mb_is_too_large_for_mail_and_one_of_36_for_a_request() {
    let message_too_large = Refused {
        v1: (422, "message_too_large"),
        ..INVALID
    };
    let request_too_large = Refused {
        v1: (413, "request_too_large"),
        mandrill: (413, "ValidationError"),
    };
    let mut watched = Watched::new(spawn_sealpost().await).await;
    // Lines, since a text of one line would be encoded and grow.
    let lines = |bytes: usize| "sixty-three letters and a line break, again and again and again\n".repeat(bytes / 64);
    for (name, mib, refused, says) in [
        ("26 MiB", 26, message_too_large, "at most 26214400"),
        ("36 MiB", 36, request_too_large, "too large"),
    ] {
        let mut mail = v1_mail(&["ann@inbox.test"]);
        mail["text"] = lines(mib * MIB).into();
        check_v1(name, &watched.key.0.post("/v1/messages", &mail).await, refused, "");
        watched.check_unmoved(name);
        let mut mail = mandrill_mail(&["ann@inbox.test"]);
        mail["text"] = lines(mib * MIB).into();
        let answer = watched.key.mandrill("messages/send", json!({ "message": mail })).await;
        check_mandrill(name, &answer, refused, says);
        watched.check_unmoved(name);
    }
    let mut mail = v1_mail(&["ann@inbox.test"]);
    mail["text"] = lines(24 * MIB).into();
    assert_eq!(
        watched.key.send_v1(&mail).await[0]["status"],
        "accepted",
        "what fits is taken"
    );
    watched.sealpost.inbox.wait_for(1).await;
    watched.check_serving().await;
    watched.sealpost.stop().await;
}
