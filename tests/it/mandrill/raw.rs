//! The unmodified official Python client sends raw messages, asks for copies, and lists who sends.

use sealpost_domain::message::{ClickTracking, OpenTracking};
use serde_json::{Value, json};

use super::python_client::PythonClient;
use crate::support::{Sealpost, mandrill_mail, spawn_sealpost};

const DOCUMENT: &str = "From: Shop <shop@example.org>\r\nTo: Ann <ann@inbox.test>, bob@inbox.test\r\n\
    Subject: Your order\r\nX-MC-Tags: order, first\r\nX-MC-Metadata: {\"order\": 12}\r\n\
    X-MC-Metadata: {\"order\": 13, \"_rcpt\": \"bob@inbox.test\"}\r\nX-MC-Subaccount: customer-7\r\n\
    X-MC-Track: opens, clicks_htmlonly\r\nX-Kept: as it is\r\n\r\nThank you.\r\n";

async fn client(sealpost: &Sealpost) -> PythonClient {
    let key = sealpost.sending_key().await;
    PythonClient::start(key.0.door.base(), &key.0.key).await
}

fn ids(sent: &Value) -> Vec<String> {
    let id = |one: &Value| one["_id"].as_str().unwrap().to_owned();
    sent.as_array().unwrap().iter().map(id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_raw_message_goes_to_whom_it_names_and_its_commands_are_obeyed() {
    let sealpost = spawn_sealpost().await;
    let mut client = client(&sealpost).await;
    let sent = client
        .ok("messages", "send_raw", json!({ "raw_message": DOCUMENT }))
        .await;
    let emails: Vec<_> = sent.as_array().unwrap().iter().map(|one| &one["email"]).collect();
    assert_eq!(emails, ["ann@inbox.test", "bob@inbox.test"]);
    let ids = ids(&sent);
    for (id, order) in ids.iter().zip(["12", "13"]) {
        sealpost.until(id, "MessageDelivered").await;
        let accepted = sealpost.accepted(id).await;
        assert_eq!(accepted.method.as_str(), "messages/send-raw");
        assert_eq!(accepted.tags.known().unwrap(), &["order", "first"]);
        assert_eq!(accepted.metadata.known().unwrap()["order"], order);
        let subaccount = accepted.subaccount.unwrap();
        assert_eq!(subaccount.known().unwrap(), "customer-7");
        assert_eq!(accepted.tracking.opens, Some(OpenTracking::On));
        assert_eq!(accepted.tracking.clicks, Some(ClickTracking::HtmlOnly));
    }
    for mail in sealpost.inbox.wait_for(2).await {
        let text = String::from_utf8(mail.content).unwrap();
        assert!(
            text.contains("\r\nX-Kept: as it is\r\n") && !text.contains("X-MC"),
            "{text}"
        );
        assert_eq!(text.matches("Received: ").count(), 1, "{text}");
        assert!(
            !(text.contains("ann@inbox.test") && text.contains("bob@inbox.test")),
            "each sees itself alone: {text}"
        );
    }
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn raw_messages_that_cannot_go_are_refused_before_anything_is_stored() {
    let sealpost = spawn_sealpost().await;
    let mut client = client(&sealpost).await;
    let before = sealpost.head();
    let looping = format!("{}{DOCUMENT}", "Received: from a by b\r\n".repeat(101));
    let later = DOCUMENT.replace("X-Kept: as it is", "X-MC-SendAt: 2999-01-01 00:00:00");
    for (members, says) in [
        (json!({ "raw_message": looping }), "hops"),
        (json!({ "raw_message": later }), "X-MC-SendAt is not offered yet"),
        (json!({ "raw_message": "Subject: x\r\n\r\nHi" }), "no From"),
        (
            json!({ "raw_message": "From: shop@example.org\r\n\r\nHi" }),
            "at least one recipient",
        ),
        (
            json!({ "raw_message": DOCUMENT, "send_at": "2999-01-01 00:00:00" }),
            "Scheduling is not offered yet",
        ),
        (
            json!({ "raw_message": DOCUMENT, "to": ["ann@inbox.test\r\nBcc: eve@inbox.test"] }),
            "line break",
        ),
        (json!({ "to": ["ann@inbox.test"] }), "raw_message"),
    ] {
        let (_, refused) = client.error("messages", "send_raw", members).await;
        assert_eq!(refused["name"], "ValidationError", "{refused}");
        assert!(refused.to_string().contains(says), "{says}: {refused}");
    }
    assert_eq!(sealpost.recorded_after(before).await, Vec::<String>::new());
    let stranger = DOCUMENT.replace("shop@example.org", "shop@example.net");
    let sent = client
        .ok(
            "messages",
            "send_raw",
            json!({ "raw_message": stranger, "to": ["ann@inbox.test"] }),
        )
        .await;
    assert_eq!(sent[0]["reject_reason"], "unsigned", "{sent}");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_message_has_a_copy_that_its_sender_hears_nothing_of() {
    let sealpost = spawn_sealpost().await;
    let mut client = client(&sealpost).await;
    let mut mail = mandrill_mail(&["ann@inbox.test", "bob@inbox.test", "nobody"]);
    mail["bcc_address"] = json!("boss@inbox.test");
    mail["recipient_metadata"] = json!([{ "rcpt": "bob@inbox.test", "values": { "order": 13 } }]);
    mail["subaccount"] = json!("customer-7");
    mail["track_clicks"] = json!(false);
    let sent = client.ok("messages", "send", json!({ "message": mail })).await;
    assert_eq!(sent.as_array().unwrap().len(), 3, "the copies are not answered: {sent}");
    let received = sealpost.inbox.wait_for(4).await;
    let mut shown: Vec<(String, bool)> = received
        .iter()
        .filter(|mail| mail.forward_paths.iter().any(|path| path.as_str().contains("boss@")))
        .map(|mail| String::from_utf8_lossy(&mail.content).into_owned())
        .map(|text| {
            let to = text.lines().find(|line| line.starts_with("To: ")).unwrap().to_owned();
            (to, text.contains("boss@"))
        })
        .collect();
    shown.sort();
    let copies = [("To: <ann@inbox.test>", false), ("To: <bob@inbox.test>", false)];
    assert_eq!(
        shown,
        copies.map(|(to, names)| (to.to_owned(), names)),
        "copies look as their originals"
    );
    let ids = ids(&sent);
    sealpost.until(&ids[1], "MessageDelivered").await;
    let bob = sealpost.accepted(&ids[1]).await;
    assert_eq!(bob.metadata.known().unwrap()["order"], "13");
    assert_eq!(bob.tracking.clicks, Some(ClickTracking::Off));
    assert_eq!(bob.tracking.opens, None, "nothing was said of opens");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn senders_are_listed_with_what_became_of_their_mail() {
    let sealpost = spawn_sealpost().await;
    let mut client = client(&sealpost).await;
    let raw = json!({ "raw_message": DOCUMENT });
    let sent = client.ok("messages", "send_raw", raw).await;
    for id in ids(&sent) {
        sealpost.until(&id, "MessageDelivered").await;
    }
    let mut other = mandrill_mail(&["ann@inbox.test"]);
    other["from_email"] = json!("evil@example.net");
    client.ok("messages", "send", json!({ "message": other })).await;
    for (category, method) in [("users", "senders"), ("senders", "list")] {
        let senders = client.ok(category, method, json!({})).await;
        let shown: Vec<_> = senders
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (&one["address"], &one["sent"], &one["rejects"]))
            .collect();
        assert_eq!(
            shown,
            [
                (&json!("evil@example.net"), &json!(0), &json!(1)),
                (&json!("shop@example.org"), &json!(2), &json!(0)),
            ]
        );
        assert_eq!(senders[1].as_object().unwrap().len(), 12, "{senders}");
        assert_eq!(senders[1]["created_at"].as_str().unwrap().len(), 19);
    }
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_turned_away_with_its_original() {
    let sealpost = spawn_sealpost().await;
    let limits = json!({ "recipient_domains": ["inbox.test"] });
    let manager = sealpost.management_key().await;
    let key = sealpost.with_key(&manager.issue(&json!({ "limits": limits })).await.ok());
    let mut mail = mandrill_mail(&["ann@elsewhere.test", "bob@inbox.test"]);
    mail["bcc_address"] = json!("boss@inbox.test");
    let before = sealpost.head();
    let sent = key.mandrill("messages/send", json!({ "message": mail })).await.ok();
    assert_eq!(sent[0]["reject_reason"], "rule", "{sent}");
    sealpost.inbox.wait_for(2).await;
    let recorded = sealpost.recorded_after(before).await;
    let count = |event: &str| recorded.iter().filter(|one| *one == event).count();
    assert_eq!(
        (count("MessageAccepted"), count("MessageRejected")),
        (2, 2),
        "{recorded:?}"
    );
    sealpost.stop().await;
}
