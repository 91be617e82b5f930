//! The demo: one command, one copied line, a mail that arrives, and a record of it.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::program::{Demo, bash, run};

/// Within this time a newcomer's mail is there.
const FIVE_SECONDS: Duration = Duration::from_secs(5);

/// The mails that one of the demo's receivers took.
fn inbox(data: &Path, receiver: &str) -> Vec<PathBuf> {
    let folder = data.join("demo").join("inbox").join(receiver);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|kind| kind == "eml"))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_printed_line_sends_a_mail_that_arrives_over_tls_and_is_shown() {
    // A name that a shell would read otherwise: the printed lines must work for it too.
    let data = tempfile::Builder::new().prefix("it's a demo ").tempdir().unwrap();
    let demo = Demo::start(data.path()).await;
    for member in [
        "api",
        "v1",
        "key",
        "management_key",
        "from",
        "to",
        "login",
        "password",
        "data",
        "ca",
        "smtp",
    ] {
        assert!(!demo.text(member).is_empty(), "{member}");
    }
    assert_eq!(demo.ready["console"], json!(null), "it is not built");
    assert!(demo.text("key").starts_with("spk_live_") && demo.text("management_key").starts_with("spm_live_"));
    assert!(Path::new(demo.text("ca")).is_file() && Path::new(demo.text("data")) == data.path());

    let message = demo.send(demo.text("to")).await;
    let shown = demo.folder.until(&message, "delivered", FIVE_SECONDS).await;
    let mails = inbox(data.path(), "tls");
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(std::fs::read_to_string(&mails[0]).unwrap().contains("It works."));

    let keys = demo
        .folder
        .json(&["key", "list", "--account", shown["account"].as_str().unwrap()])
        .await;
    let keys = keys["keys"].as_array().unwrap();
    let tail = &demo.text("key")[demo.text("key").len() - 4..];
    let key = keys
        .iter()
        .find(|key| key["display"].as_str().unwrap().ends_with(tail))
        .expect("the key that sent");
    // The line that people copy, with the program's own path in it.
    let line = demo
        .line(env!("CARGO_BIN_EXE_sealpost"))
        .replace(" ID ", &format!(" {message} "));
    let text = bash(&line).await.stdout;
    for fact in [
        "TLSv1.3 (",
        key["id"].as_str().unwrap(),
        "127.0.0.1",
        "MessageDelivered",
        "Hello from Sealpost",
    ] {
        assert!(text.contains(fact), "{fact:?} is not in\n{text}");
    }
    assert_eq!(shown["attempts"][0]["tls"]["verdict"], "valid", "{shown}");
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_its_domains_does_what_it_is_there_for() {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path()).await;
    for (receiver, state) in [
        ("plain", "delivered"),
        ("selfsigned", "delivered"),
        ("broken", "deferred"),
        ("grey", "deferred"),
        ("reject", "bounced"),
    ] {
        let message = demo.send(&format!("anybody@{receiver}.demo.test")).await;
        let shown = demo.folder.until(&message, state, FIVE_SECONDS).await;
        let mails = inbox(data.path(), receiver).len();
        assert_eq!(mails, usize::from(state == "delivered"), "{receiver}");
        match receiver {
            "plain" => {
                assert_eq!(shown["attempts"][0]["tls"]["version"], json!(null), "{shown}");
                assert_eq!(shown["in_clear"], "not_offered", "{shown}");
            }
            "selfsigned" => assert_eq!(shown["attempts"][0]["tls"]["verdict"], "self_signed", "{shown}"),
            "broken" => {
                assert_eq!(
                    (&shown["reason"], &shown["in_clear"]),
                    (&json!("tls_broken"), &json!(null)),
                    "{shown}"
                );
                assert_ne!(shown["next_attempt_at"], json!(null), "{shown}");
            }
            "grey" => assert_eq!(shown["attempts"][0]["reply"]["code"], 450, "{shown}"),
            _ => assert_eq!(shown["attempts"][0]["reply"]["code"], 550, "{shown}"),
        }
    }
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn started_again_it_goes_on_with_the_same_keys() {
    let data = tempfile::tempdir().unwrap();
    let first = Demo::start(data.path()).await;
    let (before, message) = (first.ready.clone(), first.send(first.text("to")).await);
    first.folder.until(&message, "delivered", FIVE_SECONDS).await;
    let waiting = first.send("anybody@broken.demo.test").await;
    first.folder.until(&waiting, "deferred", FIVE_SECONDS).await;
    first.stop().await;
    assert!(
        !data.path().join("control.sock").exists(),
        "the socket is gone with the program"
    );

    let again = Demo::start(data.path()).await;
    for member in ["key", "management_key", "from", "to", "login", "password", "data", "ca"] {
        assert_eq!(again.ready[member], before[member], "{member}");
    }
    let shown = again.folder.json(&["message", "show", &message]).await;
    assert_eq!(shown["state"], "delivered");
    let shown = again.folder.json(&["message", "show", &waiting]).await;
    assert_eq!(shown["state"], "deferred", "what waited waits on");
    let another = again.send(again.text("to")).await;
    again.folder.until(&another, "delivered", FIVE_SECONDS).await;
    assert_eq!(inbox(data.path(), "tls").len(), 2, "nothing was sent twice");
    let accounts: BTreeSet<_> = [&message, &another, &waiting].into_iter().collect();
    assert_eq!(accounts.len(), 3);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_start_that_was_cut_off_is_taken_up() {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path()).await;
    let before = demo.ready.clone();
    demo.stop().await;
    // As a kill leaves it: everything is seeded but the file that says so.
    let folder = data.path().join("demo");
    let begun = json!({ "login": before["login"], "password": before["password"] });
    std::fs::write(folder.join("seed.begun.json"), begun.to_string()).unwrap();
    std::fs::remove_file(folder.join("seed.json")).unwrap();

    let demo = Demo::start(data.path()).await;
    assert_eq!(
        (&demo.ready["login"], &demo.ready["password"]),
        (&before["login"], &before["password"])
    );
    let message = demo.send(demo.text("to")).await;
    demo.folder.until(&message, "delivered", FIVE_SECONDS).await;
    assert!(folder.join("seed.json").exists() && !folder.join("seed.begun.json").exists());
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_demo_names_what_is_taken_and_the_first_goes_on() {
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let demo = Demo::start(data.path()).await;
    let [taken_folder, free_folder] = [data.path(), other.path()].map(|path| path.to_str().unwrap());
    let taken_port = demo
        .text("api")
        .trim_start_matches("http://")
        .trim_end_matches("/api/1.0");
    let free = "127.0.0.1:0";
    for (folder, http, says) in [
        (taken_folder, free, "another process uses the data folder"),
        (free_folder, taken_port, taken_port),
    ] {
        let output = run(&[
            "demo", "--data", folder, "--http", http, "--https", free, "--smtp", free,
        ])
        .await;
        assert_eq!((output.code, output.stdout.as_str()), (1, ""));
        assert!(output.stderr.contains(says), "{}", output.stderr);
    }
    let message = demo.send(demo.text("to")).await;
    demo.folder.until(&message, "delivered", FIVE_SECONDS).await;
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_secret_is_its_owner_s_alone() {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path()).await;
    let mode = |name: &str| std::fs::metadata(data.path().join(name)).unwrap().permissions().mode() & 0o777;
    for secret in [
        "master.key",
        "control.sock",
        "demo/seed.json",
        "lock",
        "tls/private-key.pem",
    ] {
        assert_eq!(mode(secret), 0o600, "{secret}");
    }
    for folder in ["log", "vault", "read", "tls"] {
        assert_eq!(mode(folder), 0o700, "{folder}");
    }
    demo.stop().await;
}
