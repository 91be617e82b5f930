//! What must not be found: keys, passwords, addresses and subjects in files and in the program's log.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::program::{Demo, run_with_input};
use crate::support::http_client;

const RECIPIENT: &str = "wilhelmina.planted@tls.demo.test";
const SUBJECT: &str = "Planted subject about a rare illness";
const LOGIN: &str = "boss.planted@acme.test";
const CLIENT: &str = "127.0.0.77";
const PASSWORD: &str = "planted horse battery staple";

const PATIENCE: Duration = Duration::from_secs(20);

/// What is sealed wherever it is recorded.
const PERSONAL: [&str; 10] = [
    RECIPIENT,
    "wilhelmina.planted",
    SUBJECT,
    LOGIN,
    CLIENT,
    "planted text",
    "planted-tag",
    "planted-customer",
    "planted label",
    "planted-idempotency-key",
];

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found
}

/// The forms in which a text could lie in a file: as it is, in hex, in base64 at each of the three offsets.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![text.as_bytes().to_vec(), hex.into_bytes()];
    for skipped in 0..3 {
        // Whole groups of three bytes, so that no letter depends on what stands beside them.
        let whole = text.as_bytes()[skipped..]
            .chunks_exact(3)
            .flatten()
            .copied()
            .collect::<Vec<_>>();
        forms.push(STANDARD.encode(whole).into_bytes());
    }
    forms
}

fn holds(bytes: &[u8], text: &str) -> bool {
    forms(text)
        .iter()
        .any(|form| bytes.windows(form.len()).any(|window| window == form.as_slice()))
}

#[test]
fn the_search_finds_every_form() {
    let secret = "spk_live_secret";
    let base64 = STANDARD.encode(format!("a{secret}b"));
    for text in [
        format!("<{secret}>"),
        base64,
        STANDARD.encode(format!("ab{secret}")),
        STANDARD.encode(secret),
    ] {
        assert!(holds(text.as_bytes(), secret), "{text}");
    }
    assert!(!holds(b"spk_live_secre", secret));
}

/// Uses a demo in every way that brings secrets and personal texts in; the secrets.
async fn plant(demo: &Demo) -> Vec<String> {
    let text = |name: &str| demo.text(name).to_owned();
    let login = [
        "account",
        "create",
        "--name",
        "Acme",
        "--login",
        LOGIN,
        "--password-stdin",
        "--json",
    ];
    let words = [&login[..], &["--data", demo.text("data")]].concat();
    let created = run_with_input(&words, &format!("{PASSWORD}\n")).await;
    assert_eq!(created.code, 0, "{}", created.stderr);
    let account: Value = serde_json::from_str(&created.stdout).unwrap();
    let account = account["account"].as_str().unwrap();
    let issue = ["key", "issue", "--account", account, "--label", "planted label"];
    let issued = demo.folder.json(&issue).await;

    let client = http_client()
        .local_address(CLIENT.parse::<IpAddr>().unwrap())
        .build()
        .unwrap();
    let message = json!({
        "from_email": demo.text("from"), "to": [{ "email": RECIPIENT }], "subject": SUBJECT, "text": "planted text",
        "tags": ["planted-tag"], "metadata": { "customer": "planted-customer" },
    });
    let send = async |key: &Value| -> Value {
        let call = json!({ "key": key, "message": message });
        let request = client.post(format!("{}/messages/send", demo.text("api"))).json(&call);
        let request = request.header("Idempotency-Key", "planted-idempotency-key");
        request.send().await.unwrap().json().await.unwrap()
    };
    let sent = send(&demo.ready["key"]).await;
    let shown = demo
        .folder
        .until(sent[0]["_id"].as_str().unwrap(), "delivered", PATIENCE)
        .await;
    assert_eq!(shown["client_ip"], CLIENT);
    // A refused one, which is recorded as well.
    assert_eq!(send(&issued["key"]).await[0]["reject_reason"], "unsigned");
    let issued = issued["key"].as_str().unwrap().to_owned();
    vec![
        text("key"),
        text("management_key"),
        text("password"),
        issued,
        PASSWORD.to_owned(),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_of_a_run_are_in_no_file_but_the_seed_and_in_no_log() {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path()).await;
    let secrets = plant(&demo).await;
    let output = demo.stop().await;
    for secret in secrets.iter().map(String::as_str).chain(PERSONAL) {
        assert!(
            !holds(output.stderr.as_bytes(), secret),
            "{secret} is in the program's log"
        );
    }
    for path in files(data.path()) {
        let (bytes, name) = (std::fs::read(&path).unwrap(), path.strip_prefix(data.path()).unwrap());
        if name == Path::new("demo/seed.json") {
            assert!(holds(&bytes, &secrets[0]), "the search would find a key");
            continue;
        }
        for secret in &secrets {
            assert!(!holds(&bytes, secret), "a secret is in {}", name.display());
        }
        // Read models hold what people look at, and the demo's inbox is a receiver's.
        let may_hold = name.starts_with("read") || name.starts_with("demo/inbox");
        for planted in PERSONAL {
            assert!(
                may_hold || !holds(&bytes, planted),
                "{planted:?} is in {}",
                name.display()
            );
        }
    }
}
