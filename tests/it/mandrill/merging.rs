//! The unmodified official Python client sends templates with variables.

use serde_json::{Value, json};

use super::python_client::PythonClient;
use crate::support::{Sealpost, mandrill_mail, spawn_sealpost};

async fn client(sealpost: &Sealpost) -> PythonClient {
    let key = sealpost.sending_key().await;
    PythonClient::start(key.0.door.base(), &key.0.key).await
}

/// The mails to these recipients, in their order, by the text after the header block and by their subject.
async fn received(sealpost: &Sealpost, to: &[&str]) -> Vec<String> {
    let mails = sealpost.inbox.wait_for(to.len()).await;
    let of = |to: &&str| {
        let mail = mails.iter().find(|mail| mail.forward_paths[0].as_str() == *to).unwrap();
        String::from_utf8(mail.content.clone()).unwrap()
    };
    to.iter().map(of).collect()
}

fn templated(language: &str, subject: &str, html: &str) -> Value {
    let mut mail = mandrill_mail(&["ann@inbox.test", "bob@inbox.test", "carl@inbox.test"]);
    mail["merge_language"] = json!(language);
    mail["subject"] = json!(subject);
    mail["html"] = json!(html);
    mail["global_merge_vars"] = json!([{ "name": "name", "content": "friend" }, { "name": "total", "content": 12 }]);
    mail["merge_vars"] = json!([{ "rcpt": "Bob@inbox.test", "vars": [{ "name": "NAME", "content": "Bob <b>" }] }]);
    mail
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_languages_are_merged_for_each_recipient() {
    let to = ["ann@inbox.test", "bob@inbox.test", "carl@inbox.test"];
    for (language, subject, html, bob) in [
        (
            "mailchimp",
            "Hello *|NAME|*",
            "<p>*|NAME|*: *|IF:TOTAL > 10|*many*|ELSE:|*few*|END:IF|*</p>",
            "<p>Bob <b>: many</p>",
        ),
        (
            "handlebars",
            "Hello {{name}}",
            "<p>{{name}}: {{#if `total > 10`}}many{{else}}few{{/if}}</p>",
            "<p>Bob &lt;b&gt;: many</p>",
        ),
    ] {
        let sealpost = spawn_sealpost().await;
        let mut client = client(&sealpost).await;
        let mail = templated(language, subject, html);
        let sent = client.ok("messages", "send", json!({ "message": mail })).await;
        let mails = received(&sealpost, &to).await;
        assert!(mails[0].contains("\r\nSubject: Hello friend\r\n"), "{}", mails[0]);
        assert!(mails[1].contains("\r\nSubject: Hello Bob <b>\r\n"), "{}", mails[1]);
        assert!(
            mails[0].contains("<p>friend: many</p>") && mails[1].contains(bob),
            "{}",
            mails[1]
        );
        let mut bodies = Vec::new();
        for one in sent.as_array().unwrap() {
            let id = one["_id"].as_str().unwrap();
            sealpost.until(id, "MessageDelivered").await;
            let accepted = sealpost.accepted(id).await;
            bodies.push(accepted.content.parts.last().unwrap().part);
            let info = client.ok("messages", "info", json!({ "id": id })).await;
            assert_eq!(
                Some(info["subject"].as_str().unwrap()),
                accepted.subject.known().map(String::as_str)
            );
        }
        assert_eq!(bodies[0], bodies[2], "what comes out equal is stored once");
        assert_ne!(bodies[0], bodies[1]);
        sealpost.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_template_is_an_error_and_nothing_is_stored() {
    let sealpost = spawn_sealpost().await;
    let mut client = client(&sealpost).await;
    let before = sealpost.head();
    for (language, html, says) in [
        ("handlebars", "{{#each a}}", "does not end"),
        ("handlebars", "{{lookup a b}}", "a helper that does not exist"),
        (
            "handlebars",
            "{{> /etc/passwd}}",
            "another template, which is not offered yet",
        ),
        ("mailchimp", "*|END:IF|*", "ends or divides a block that is not open"),
    ] {
        let mail = templated(language, "Hello", html);
        let (status, refused) = client.error("messages", "send", json!({ "message": mail })).await;
        assert_eq!(
            (status, &refused["name"]),
            (422, &json!("ValidationError")),
            "{refused}"
        );
        assert!(
            refused.to_string().contains(says) && refused.to_string().contains("html"),
            "{refused}"
        );
    }
    let opened: String = (0..6)
        .map(|level| format!("{{{{#each {}all}}}}", "../".repeat(level)))
        .collect();
    let round = opened + &"{{/each}}".repeat(6);
    let mut mail = templated("handlebars", "Hello", &round);
    let all: Vec<u32> = (0..300).collect();
    mail["global_merge_vars"] = json!([{ "name": "all", "content": all }]);
    let (_, refused) = client.error("messages", "send", json!({ "message": mail })).await;
    assert!(refused.to_string().contains("at most"), "{refused}");
    assert_eq!(sealpost.recorded_after(before).await, Vec::<String>::new());
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_variable_writes_a_header() {
    let sealpost = spawn_sealpost().await;
    let mut client = client(&sealpost).await;
    let mut mail = templated("mailchimp", "Hello *|NAME|*", "x");
    mail["from_name"] = json!("Shop *|NAME|*");
    mail["global_merge_vars"] = json!([{ "name": "NAME", "content": "Ann\r\nBcc: eve@inbox.test\r\n\r\nbody" }]);
    mail["merge_vars"] = Value::Null;
    client.ok("messages", "send", json!({ "message": mail })).await;
    for text in received(&sealpost, &["ann@inbox.test", "bob@inbox.test", "carl@inbox.test"]).await {
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    }
    sealpost.stop().await;
}
