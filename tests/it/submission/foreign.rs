//! Clients that others wrote send by submission: swaks, Python's smtplib, nodemailer.

use std::path::{Path, PathBuf};

use serde_json::json;
use tokio::process::Command;

use super::world::spawn;
use crate::support::Sealpost;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/submission");

/// How a client covers what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Clear,
    StartTls,
    Tls,
}

const WAYS: [How; 3] = [How::Clear, How::StartTls, How::Tls];

impl How {
    const fn word(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::StartTls => "starttls",
            Self::Tls => "tls",
        }
    }

    fn port(self, sealpost: &Sealpost) -> String {
        let addresses = sealpost.server.addresses();
        let address = match self {
            Self::Clear | Self::StartTls => addresses.submission,
            Self::Tls => addresses.submission_tls,
        };
        address.unwrap().port().to_string()
    }
}

async fn text_of(command: &mut Command) -> String {
    let output = command.kill_on_drop(true).output().await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

/// A client that takes HOST PORT KEY HOW AUTHORITY.
async fn by_script(program: &Path, script: &str, sealpost: &Sealpost, key: &str, how: How) -> String {
    assert!(
        program.exists() || program.components().count() == 1,
        "run scripts/install tests"
    );
    let (port, authority) = (how.port(sealpost), sealpost.server.authority());
    let mut command = Command::new(program);
    command
        .arg(format!("{FOLDER}/{script}"))
        .args(["localhost", &port, key, how.word()])
        .arg(authority);
    text_of(&mut command).await
}

async fn by_swaks(sealpost: &Sealpost, key: &str, how: How, mechanism: &str) -> String {
    let (port, authority) = (how.port(sealpost), sealpost.server.authority());
    let mut command = Command::new("swaks");
    command.args([
        "--server",
        "localhost",
        "--port",
        &port,
        "--from",
        "shop@example.org",
        "--to",
        "ann@inbox.test",
    ]);
    command.args(["--auth", mechanism, "--auth-user", "any user", "--auth-password", key]);
    command.args([
        "--header",
        "Subject: Hello from swaks",
        "--header",
        "X-MC-Tags: swaks",
        "--body",
        "one\n.\ntwo",
    ]);
    match how {
        How::Clear => {}
        How::StartTls => drop(
            command
                .arg("--tls")
                .args(["--tls-verify", "--tls-ca-path"])
                .arg(authority),
        ),
        How::Tls => drop(
            command
                .arg("--tls-on-connect")
                .args(["--tls-verify", "--tls-ca-path"])
                .arg(authority),
        ),
    }
    text_of(&mut command).await
}

/// The id in an answer.
#[track_caller]
fn id_in(said: &str) -> String {
    let taken = said.split("2.0.0 Taken as ").nth(1).unwrap_or_else(|| panic!("{said}"));
    taken.chars().take(32).collect()
}

/// What came out of it, once it is delivered.
async fn delivered(sealpost: &Sealpost, id: &str) -> (Vec<String>, String) {
    let types = sealpost.until(id, "MessageDelivered").await;
    let mail = sealpost.inbox.mail().pop().unwrap();
    (types, String::from_utf8(mail.content).unwrap())
}

async fn revoke(sealpost: &Sealpost, id: &str) {
    let act = json!({ "account": sealpost.account, "reason": "leaked" });
    sealpost.control().post(&format!("/keys/{id}/revoke"), &act).await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swaks_sends_and_is_refused_with_a_wrong_or_revoked_key() {
    let sealpost = spawn().await;
    let key = sealpost.sending_key().await.0;
    for how in WAYS {
        for mechanism in ["PLAIN", "LOGIN"] {
            let said = by_swaks(&sealpost, &key.key, how, mechanism).await;
            let (_, text) = delivered(&sealpost, &id_in(&said)).await;
            assert!(
                text.contains("Subject: Hello from swaks\r\n") && text.contains("one\r\n.\r\ntwo"),
                "{text}"
            );
        }
    }
    let said = by_swaks(&sealpost, "wrong", How::Tls, "PLAIN").await;
    assert!(said.contains("535 5.7.8 "), "{said}");
    revoke(&sealpost, &key.id).await;
    let said = by_swaks(&sealpost, &key.key, How::StartTls, "LOGIN").await;
    assert!(said.contains("535 5.7.8 "), "{said}");
    assert_eq!(sealpost.inbox.count(), 6);
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn smtplib_sends_and_is_refused_with_a_wrong_or_revoked_key() {
    let sealpost = spawn().await;
    let key = sealpost.sending_key().await.0;
    let python = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.venv/bin/python"));
    let script = "smtplib_client.py";
    for how in WAYS {
        let before = sealpost.inbox.count();
        let said = by_script(&python, script, &sealpost, &key.key, how).await;
        assert_eq!(said, "refused recipients {}\n", "{how:?}");
        let mail = sealpost.inbox.wait_for(before + 1).await.pop().unwrap();
        let text = String::from_utf8(mail.content).unwrap();
        assert!(
            text.contains("Subject: =?utf-8?") && text.contains("multipart/"),
            "{text}"
        );
    }
    let said = by_script(&python, script, &sealpost, "wrong", How::Tls).await;
    assert!(said.starts_with("refused 535 5.7.8 "), "{said}");
    revoke(&sealpost, &key.id).await;
    let said = by_script(&python, script, &sealpost, &key.key, How::StartTls).await;
    assert!(said.starts_with("refused 535 5.7.8 "), "{said}");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodemailer_sends_and_is_refused_with_a_wrong_or_revoked_key() {
    let sealpost = spawn().await;
    let key = sealpost.sending_key().await.0;
    let (node, script) = (PathBuf::from("node"), "nodemailer_client.js");
    for how in WAYS {
        let before = sealpost.inbox.count();
        let said = by_script(&node, script, &sealpost, &key.key, how).await;
        assert!(
            said.starts_with("accepted ann@inbox.test bob@inbox.test 250 2.0.0 Taken as "),
            "{how:?}: {said}"
        );
        let mail = sealpost.inbox.wait_for(before + 2).await.pop().unwrap();
        let text = String::from_utf8(mail.content).unwrap();
        assert!(text.contains("multipart/") && !text.contains("X-MC"), "{text}");
    }
    let said = by_script(&node, script, &sealpost, "wrong", How::Tls).await;
    assert!(said.starts_with("refused 535 535 5.7.8 "), "{said}");
    revoke(&sealpost, &key.id).await;
    let said = by_script(&node, script, &sealpost, &key.key, How::StartTls).await;
    assert!(said.starts_with("refused 535 535 5.7.8 "), "{said}");
    sealpost.stop().await;
}
