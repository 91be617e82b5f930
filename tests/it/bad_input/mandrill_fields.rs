//! Members of a Mandrill message that are wrong: of another type, missing, too many, smuggling a header, not base64.

use serde_json::{Value, json};

use super::case::{INVALID, Table, Watched, check_mandrill, with};
use crate::support::{mandrill_mail, spawn_sealpost};

/// Of another type than they must be.
fn wrong_types() -> Table {
    vec![
        (
            "to",
            json!({ "email": "ann@inbox.test" }),
            r#"{"message":{"to":"Please enter an array"}}"#,
        ),
        (
            "to",
            json!("ann@inbox.test"),
            r#"{"message":{"to":"Please enter an array"}}"#,
        ),
        (
            "to",
            json!(["ann@inbox.test"]),
            r#"{"message":{"to":{"0":"Please enter an object"}}}"#,
        ),
        ("to", json!([{ "email": 7 }]), r#"{"message":{"to":{"0":{"email":"#),
        (
            "to",
            json!([{ "email": "ann@inbox.test", "type": "from" }]),
            r#"{"type":"#,
        ),
        (
            "subject",
            json!(7),
            r#"{"message":{"subject":"Please enter a string"}}"#,
        ),
        ("text", json!([]), r#"{"message":{"text":"#),
        ("headers", json!("X-A: 1"), r#"{"message":{"headers":"#),
        ("tags", json!({ "a": 1 }), r#"{"message":{"tags":"#),
        ("metadata", json!({ "a": {} }), r#"{"message":{"metadata":{"a":"#),
        ("attachments", json!("file"), r#"{"message":{"attachments":"#),
        (
            "preserve_recipients",
            json!("no"),
            r#"{"message":{"preserve_recipients":"#,
        ),
    ]
}

/// Missing, too many, too long, or no address at all.
fn missing_or_beyond_limits() -> Table {
    vec![
        ("to", Value::Null, r#"{"message":{"to":"You must specify a to value"}}"#),
        ("from_email", Value::Null, r#"{"message":{"from_email":"#),
        (
            "to",
            json!([]),
            r#"{"message":{"to":"Please enter at least one recipient"}}"#,
        ),
        (
            "to",
            json!([{ "name": "Ann" }]),
            r#"{"email":"You must specify a email value"}"#,
        ),
        (
            "to",
            json!(vec![json!({ "email": "ann@inbox.test" }); 1_001]),
            r#"{"message":{"to":"Please enter at most 1000"#,
        ),
        ("tags", json!(["_reserved"]), "underscore"),
        ("subject", json!("s".repeat(999)), r#"{"message":{"subject":"#),
        ("from_email", json!("nobody"), r#"{"message":{"from_email":"#),
    ]
}

/// Line breaks and NUL, wherever a header is made of what is given.
fn injections() -> Table {
    let attachment = |name: &str, content: &str| json!([{ "name": name, "type": "text/plain", "content": content }]);
    let to = |email: &str, name: &str| json!([{ "email": email, "name": name }]);
    vec![
        (
            "from_email",
            json!("shop@example.org\r\nBcc: eve@evil.test"),
            r#"{"message":{"from_email":"#,
        ),
        (
            "from_name",
            json!("Shop\r\nBcc: eve@evil.test"),
            r#"{"message":{"from_email":"#,
        ),
        ("from_name", json!("Shop\0"), r#"{"message":{"from_email":"#),
        (
            "to",
            to("ann@inbox.test\r\nBcc: eve@evil.test", "Ann"),
            r#"{"message":{"to":{"0":{"email":"#,
        ),
        (
            "to",
            to("ann@inbox.test", "Ann\nBcc: eve@evil.test"),
            r#"{"message":{"to":"#,
        ),
        (
            "subject",
            json!("Hello\r\nBcc: eve@evil.test"),
            r#"{"message":{"subject":"#,
        ),
        ("subject", json!("Hello\0"), r#"{"message":{"subject":"#),
        (
            "headers",
            json!({ "Reply-To": "a@b.test\r\nBcc: eve@evil.test" }),
            r#"{"headers":{"Reply-To":"#,
        ),
        (
            "headers",
            json!({ "X-A\nBcc": "eve@evil.test" }),
            r#"{"message":{"headers":"#,
        ),
        ("headers", json!({ "Bcc": "eve@evil.test" }), r#"{"headers":{"Bcc":"#),
        (
            "attachments",
            attachment("a\r\nX: 1", "YQ=="),
            r#"{"message":{"attachments":{"0":"#,
        ),
        (
            "images",
            json!([{ "name": "a\0", "type": "image/png", "content": "YQ==" }]),
            r#"{"message":{"images":{"0":"#,
        ),
    ]
}

/// Files whose content is not base64.
fn not_base64() -> Table {
    let attachment = |name: &str, content: &str| json!([{ "name": name, "type": "text/plain", "content": content }]);
    vec![
        (
            "attachments",
            attachment("a", "%%%"),
            r#"{"attachments":{"0":{"content":"Please enter the content in base64"}}}"#,
        ),
        (
            "images",
            json!([{ "name": "a", "content": "a" }]),
            r#"{"images":{"0":{"content":"#,
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_wrong_member_of_a_mandrill_message_is_named_and_leaves_nothing() {
    let mut watched = Watched::new(spawn_sealpost().await).await;
    for (member, value, says) in [wrong_types(), missing_or_beyond_limits(), injections(), not_base64()].concat() {
        let message = with(mandrill_mail(&["ann@inbox.test"]), member, &value);
        let name = format!("{member} as {value:.80}");
        let answer = watched
            .key
            .mandrill("messages/send", json!({ "message": message }))
            .await;
        check_mandrill(&name, &answer, INVALID, says);
        watched.check_unmoved(&name);
    }
    let answer = watched.key.mandrill("messages/send", json!({})).await;
    check_mandrill("no message", &answer, INVALID, "You must specify a message value");
    assert_eq!(answer.body["code"], -1, "a member of the call itself");
    watched.check_unmoved("no message");
    watched.check_serving().await;
    watched.sealpost.stop().await;
}
