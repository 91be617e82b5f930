//! Members of `/v1/messages` that are wrong: of another type, missing, too many, smuggling a header, not base64.

use serde_json::{Value, json};

use super::case::{INVALID, Table, Watched, check_v1, with};
use crate::support::{spawn_sealpost, v1_mail};

/// Of another type than they must be.
fn wrong_types() -> Table {
    vec![
        ("to", json!("ann@inbox.test"), "to"),
        ("to", json!([7]), "to[0]"),
        ("from", json!(7), "from"),
        ("from", json!(["shop@example.org"]), "from"),
        ("subject", json!({}), "subject"),
        ("text", json!(1), "text"),
        ("html", json!(false), "html"),
        ("tags", json!("order"), "tags"),
        ("tags", json!([1]), "tags[0]"),
        ("metadata", json!("a"), "metadata"),
        ("metadata", json!({ "a": [1] }), "metadata.a"),
        ("headers", json!({ "X-A": true }), "headers.X-A"),
        ("attachments", json!({}), "attachments"),
        ("attachments", json!(["file"]), "attachments[0]"),
        ("expires_in_s", json!("soon"), "expires_in_s"),
        ("expires_in_s", json!(59), "expires_in_s"),
        ("show_recipients", json!("yes"), "show_recipients"),
        ("tls", json!("maybe"), "tls"),
        ("surprise", json!(1), "surprise"),
    ]
}

/// Missing, too many, too long, or no address at all.
fn missing_or_beyond_limits() -> Table {
    vec![
        ("from", Value::Null, "from"),
        ("to", Value::Null, "to"),
        ("text", Value::Null, "text"),
        ("to", json!([]), "to"),
        ("to", json!([{}]), "to[0].email"),
        ("attachments", json!([{ "name": "a" }]), "attachments[0].content"),
        ("to", json!(vec!["ann@inbox.test"; 1_001]), "to"),
        ("tags", json!(vec!["tag"; 101]), "tags"),
        ("subject", json!("s".repeat(999)), "subject"),
        ("from", json!("nobody"), "from.email"),
        ("from", json!("shop@exa mple.org"), "from.email"),
    ]
}

/// Line breaks and NUL, wherever a header is made of what is given.
fn injections() -> Table {
    let attachment =
        |name: &str, kind: &str, content: &str| json!([{ "name": name, "type": kind, "content": content }]);
    vec![
        ("from", json!("shop@example.org\r\nBcc: eve@evil.test"), "from.email"),
        (
            "from",
            json!({ "email": "shop@example.org", "name": "A\r\nBcc: eve@evil.test" }),
            "from.email",
        ),
        (
            "from",
            json!({ "email": "shop@example.org", "name": "A\0" }),
            "from.email",
        ),
        ("to", json!(["ann@inbox.test\nBcc: eve@evil.test"]), "to[0].email"),
        ("to", json!(["ann\0@inbox.test"]), "to[0].email"),
        (
            "to",
            json!([{ "email": "ann@inbox.test", "name": "Ann\rBcc: eve@evil.test" }]),
            "to",
        ),
        ("subject", json!("Hello\r\nBcc: eve@evil.test"), "subject"),
        ("subject", json!("Hello\nWorld"), "subject"),
        ("subject", json!("Hello\rWorld"), "subject"),
        ("subject", json!("Hello\0World"), "subject"),
        ("headers", json!({ "X-A": "1\r\nBcc: eve@evil.test" }), "headers.X-A"),
        ("headers", json!({ "X-A": "1\n" }), "headers.X-A"),
        ("headers", json!({ "X-A": "1\0" }), "headers.X-A"),
        ("headers", json!({ "X-A\r\nBcc": "eve@evil.test" }), "headers"),
        ("headers", json!({ "X-A: 1\nBcc": "eve@evil.test" }), "headers"),
        ("headers", json!({ "": "1" }), "headers"),
        ("headers", json!({ "Bcc": "eve@evil.test" }), "headers.Bcc"),
        ("headers", json!({ "DKIM-Signature": "v=1" }), "headers.DKIM-Signature"),
        (
            "attachments",
            attachment("a\r\nX: 1", "text/plain", "YQ=="),
            "attachments[0]",
        ),
        ("attachments", attachment("a\0", "text/plain", "YQ=="), "attachments[0]"),
        (
            "attachments",
            attachment("a", "text/plain\r\nX: 1", "YQ=="),
            "attachments[0]",
        ),
        (
            "images",
            json!([{ "name": "a\nX: 1", "type": "image/png", "content": "YQ==" }]),
            "images[0]",
        ),
    ]
}

/// Files whose content is not base64.
fn not_base64() -> Table {
    let attachment =
        |name: &str, kind: &str, content: &str| json!([{ "name": name, "type": kind, "content": content }]);
    vec![
        (
            "attachments",
            attachment("a", "text/plain", "not base64!"),
            "attachments[0].content",
        ),
        (
            "attachments",
            attachment("a", "text/plain", "YQ==YQ=="),
            "attachments[0].content",
        ),
        (
            "images",
            json!([{ "name": "a", "type": "image/png", "content": "ä" }]),
            "images[0].content",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_wrong_member_of_v1_is_named_and_leaves_nothing() {
    let mut watched = Watched::new(spawn_sealpost().await).await;
    for (member, value, field) in [wrong_types(), missing_or_beyond_limits(), injections(), not_base64()].concat() {
        let body = with(v1_mail(&["ann@inbox.test"]), member, &value);
        let name = format!("{member} as {value:.80}");
        let answer = watched.key.0.post("/v1/messages", &body).await;
        check_v1(&name, &answer, INVALID, field);
        watched.check_unmoved(&name);
    }
    watched.check_serving().await;
    watched.sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_none_and_a_domain_that_is_not_owned_are_answered_and_recorded() {
    let mut watched = Watched::new(spawn_sealpost().await).await;
    let nobody = watched.key.send_v1(&v1_mail(&["nobody", "a@b@c", "ann@-.test"])).await;
    for one in &nobody {
        assert_eq!(
            (&one["status"], &one["reason"]),
            (&json!("rejected"), &json!("invalid_recipient")),
            "{one}"
        );
    }
    watched.check_recorded("no address", &["MessageRejected"; 3]).await;
    let foreign = with(v1_mail(&["ann@inbox.test"]), "from", &json!("boss@other.example"));
    let foreign = watched.key.send_v1(&foreign).await;
    assert_eq!(
        (&foreign[0]["status"], &foreign[0]["reason"]),
        (&json!("rejected"), &json!("unsigned"))
    );
    watched.check_recorded("not owned", &["MessageRejected"]).await;
    watched.check_serving().await;
    assert_eq!(watched.sealpost.inbox.count(), 2, "nothing of the others went out");
    watched.sealpost.stop().await;
}
