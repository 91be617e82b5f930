//! The unmodified official Python client sends, and reads back what it sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::python_client::PythonClient;
use crate::support::{mandrill_mail, spawn_sealpost};

/// Every field of a mail that has an effect.
fn full_mail() -> Value {
    json!({
        "from_email": "shop@example.org",
        "from_name": "Läden & Co",
        "to": [
            { "email": "Ann@inbox.test", "name": "Ann Müller", "type": "to" },
            { "email": "bob@inbox.test", "type": "cc" },
            { "email": "carl@inbox.test", "type": "bcc" },
        ],
        "subject": "Ihre Bestellung № 12",
        "html": "<p>Danke <img src=\"cid:logo\"></p>",
        "text": "Danke.\n.\nEin Punkt steht darüber.",
        "headers": { "Reply-To": "help@example.org", "X-Order": "12" },
        "tags": ["order", "first"],
        "metadata": { "order": 12, "vip": true, "customer": "c-7" },
        "attachments": [{ "type": "text/csv", "name": "Rechnung ä.csv", "content": STANDARD.encode("a;b\r\n1;2\r\n") }],
        "images": [{ "type": "image/png", "name": "logo", "content": STANDARD.encode([0x89, b'P', b'N', b'G', 0, 255]) }],
        "important": false,
        "track_opens": null,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_sends_to_several_recipients_and_reads_info_content_and_search_back() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let mut client = PythonClient::start(key.0.door.base(), &key.0.key).await;
    assert_eq!(client.own_path, "/api/1.3", "the client's own path is kept");

    let sent = client
        .ok("messages", "send", json!({ "message": full_mail(), "async": false }))
        .await;
    let sent = sent.as_array().unwrap();
    let emails: Vec<_> = sent.iter().map(|one| one["email"].as_str().unwrap()).collect();
    assert_eq!(emails, ["Ann@inbox.test", "bob@inbox.test", "carl@inbox.test"]);
    for one in sent {
        assert_eq!(
            (&one["status"], &one["reject_reason"]),
            (&json!("sent"), &Value::Null),
            "{one}"
        );
        sealpost.until(id(one), "MessageDelivered").await;
    }
    let received = sealpost.inbox.wait_for(3).await;
    let ann = received
        .iter()
        .map(|mail| String::from_utf8_lossy(&mail.content).into_owned())
        .find(|text| text.contains("\r\nTo: ") && text.contains("Ann@inbox.test"))
        .expect("Ann's copy");
    for line in [
        "\r\nReply-To: <help@example.org>\r\n",
        "\r\nX-Order: 12\r\n",
        "\r\nDKIM-Signature: ",
    ] {
        assert!(format!("\r\n{ann}").contains(line), "{line:?} in {ann}");
    }
    assert!(
        !ann.contains("bob@inbox.test") && !ann.contains("carl@inbox.test"),
        "each gets a copy of their own"
    );

    reads_back(&mut client, id(&sent[0])).await;
    sealpost.stop().await;
}

async fn reads_back(client: &mut PythonClient, id: &str) {
    let info = client.ok("messages", "info", json!({ "id": id })).await;
    assert_eq!(
        (&info["_id"], &info["state"], &info["email"]),
        (&json!(id), &json!("sent"), &json!("Ann@inbox.test"))
    );
    assert_eq!(
        (&info["sender"], &info["subject"]),
        (&json!("shop@example.org"), &json!("Ihre Bestellung № 12"))
    );
    assert_eq!(info["tags"], json!(["order", "first"]));
    assert_eq!(info["metadata"], json!({ "order": 12, "vip": true, "customer": "c-7" }));
    let event = &info["smtp_events"][0];
    assert_eq!(
        (&event["type"], &event["destination_ip"]),
        (&json!("sent"), &json!("127.0.0.1"))
    );
    assert!(event["diag"].as_str().unwrap().starts_with("250 "), "{event}");

    let content = client.ok("messages", "content", json!({ "id": id })).await;
    assert_eq!(
        content["to"],
        json!({ "email": "Ann@inbox.test", "name": "Ann Müller" })
    );
    assert_eq!(
        (&content["from_email"], &content["from_name"]),
        (&json!("shop@example.org"), &json!("Läden & Co"))
    );
    assert_eq!(
        content["text"].as_str().unwrap().replace("\r\n", "\n").trim_end(),
        "Danke.\n.\nEin Punkt steht darüber."
    );
    assert!(content["html"].as_str().unwrap().contains("cid:logo"));
    assert_eq!(content["headers"]["X-Order"], "12");
    let files = content["attachments"].as_array().unwrap();
    let csv = files
        .iter()
        .find(|file| file["name"] == "Rechnung ä.csv")
        .expect("the attachment");
    assert_eq!(
        STANDARD.decode(csv["content"].as_str().unwrap()).unwrap(),
        b"a;b\r\n1;2\r\n"
    );

    for query in [
        "Ann@inbox.test",
        "sender:shop@example.org",
        "subject:Bestellung",
        "tags:first",
    ] {
        let found = client
            .ok("messages", "search", json!({ "query": query, "limit": 10 }))
            .await;
        let found = found.as_array().unwrap();
        assert!(found.iter().any(|one| one["_id"] == id), "{query}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_pings_and_sees_the_account() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let mut client = PythonClient::start(key.0.door.base(), &key.0.key).await;
    assert_eq!(client.ok("users", "ping", json!({})).await, "PONG!");
    assert_eq!(client.ok("users", "ping2", json!({})).await, json!({ "PING": "PONG!" }));
    let sent = client
        .ok(
            "messages",
            "send",
            json!({ "message": mandrill_mail(&["ann@inbox.test"]) }),
        )
        .await;
    sealpost.until(id(&sent[0]), "MessageDelivered").await;
    let info = client.ok("users", "info", json!({})).await;
    assert_eq!(
        (&info["username"], &info["public_id"]),
        (&json!(sealpost.account), &json!(sealpost.account))
    );
    assert_eq!(info["stats"]["all_time"]["sent"], 1, "{info}");
    assert_eq!(
        (&info["reputation"], &info["backlog"]),
        (&json!(100), &json!(0)),
        "{info}"
    );
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_raises_the_errors_that_it_knows() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let mut client = PythonClient::start(key.0.door.base(), &key.0.key).await;
    let unknown = "0123456789abcdef0123456789abcdef";
    let (status, body) = client.error("messages", "info", json!({ "id": unknown })).await;
    assert_eq!(
        (status, &body["name"], &body["code"]),
        (404, &json!("Unknown_Message"), &json!(11))
    );
    let bare = json!({ "message": { "from_email": "shop@example.org", "to": { "email": "ann@inbox.test" } } });
    let (status, body) = client.error("messages", "send", bare).await;
    assert_eq!((status, &body["name"]), (422, &json!("ValidationError")));
    assert_eq!(
        body["message"],
        r#"Validation error: {"message":{"to":"Please enter an array"}}"#
    );
    let nothing = client
        .call("messages", "search", json!({ "query": "nobody@inbox.test" }))
        .await;
    assert_eq!(
        nothing["response"]["text"], "[]",
        "the client does not unpack an empty list"
    );

    let mut wrong = PythonClient::start(key.0.door.base(), "not-a-key").await;
    let (status, body) = wrong.error("users", "ping2", json!({})).await;
    let invalid = json!({ "status": "error", "code": -1, "name": "Invalid_Key", "message": "Invalid API key" });
    assert_eq!((status, body), (401, invalid));
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_told_every_status_and_every_reason() {
    let sealpost = spawn_sealpost().await;
    let (key, manager) = (sealpost.sending_key().await, sealpost.management_key().await);
    let mut client = PythonClient::start(key.0.door.base(), &key.0.key).await;
    let first = statuses(&mut client, mandrill_mail(&["gone@reject.test"])).await;
    assert_eq!(first, ["sent null null"]);
    let found = client
        .ok("messages", "search", json!({ "query": "gone@reject.test" }))
        .await;
    sealpost.until(id(&found[0]), "MessageBounced").await;
    let mixed = statuses(
        &mut client,
        mandrill_mail(&["ann@inbox.test", "nobody", "gone@reject.test"]),
    )
    .await;
    assert_eq!(
        mixed,
        ["sent null null", "invalid null null", r#"rejected "hard-bounce" null"#]
    );
    let mut unsigned = mandrill_mail(&["ann@inbox.test"]);
    unsigned["from_email"] = "boss@other.example".into();
    assert_eq!(statuses(&mut client, unsigned).await, [r#"rejected "unsigned" null"#]);
    let many: Vec<String> = (0..11).map(|n| format!("reader-{n}@inbox.test")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let queued = statuses(&mut client, mandrill_mail(&many)).await;
    assert_eq!(queued, [r#"queued null "multiple-recipients""#; 11]);
    sealpost.inbox.wait_for(12).await;

    manager.act("freeze", &key.0.id).await.ok();
    let held = statuses(&mut client, mandrill_mail(&["ann@inbox.test"])).await;
    assert_eq!(held, [r#"queued null "sending-paused""#]);
    manager.act("revoke", &key.0.id).await.ok();
    let mail = json!({ "message": mandrill_mail(&["ann@inbox.test"]) });
    let (status, body) = client.error("messages", "send", mail).await;
    assert_eq!((status, &body["message"]), (401, &json!("Invalid API key")));
    sealpost.stop().await;
}

/// Sends; status, reject reason and queued reason of each recipient.
async fn statuses(client: &mut PythonClient, message: Value) -> Vec<String> {
    let sent = client.ok("messages", "send", json!({ "message": message })).await;
    let words = |one: &Value| {
        format!(
            "{} {} {}",
            one["status"].as_str().unwrap(),
            one["reject_reason"],
            one["queued_reason"]
        )
    };
    sent.as_array().unwrap().iter().map(words).collect()
}

fn id(sent: &Value) -> &str {
    sent["_id"].as_str().unwrap()
}
