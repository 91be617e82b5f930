//! Commands on a folder that no server runs on: opened for the command alone, and no mail goes out of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::program::{Demo, Folder, bash, run};

/// A folder that a demo has left: one mail delivered, one that waits. Their ids.
async fn left_by_a_demo(data: &std::path::Path) -> (Folder, String, String) {
    let demo = Demo::start(data).await;
    let (delivered, waiting) = (
        demo.send(demo.text("to")).await,
        demo.send("ann@broken.demo.test").await,
    );
    demo.folder
        .until(&delivered, "delivered", Duration::from_secs(20))
        .await;
    demo.folder.until(&waiting, "deferred", Duration::from_secs(20)).await;
    let folder = demo.folder.clone();
    demo.stop().await;
    (folder, delivered, waiting)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_works_and_what_waits_is_left_alone() {
    let data = tempfile::tempdir().unwrap();
    let (folder, delivered, waiting) = left_by_a_demo(data.path()).await;
    let before = folder.json(&["queue", "list"]).await;
    assert_eq!(before["messages"][0]["id"], waiting.as_str(), "{before}");
    let shown = folder.json(&["message", "show", &delivered]).await;
    assert_eq!(shown["state"], "delivered");
    let account = shown["account"].as_str().unwrap().to_owned();

    let created = folder
        .json(&["account", "create", "--name", "Acme", "--login", "boss@acme.test"])
        .await;
    let other = created["account"].as_str().unwrap();
    assert!(
        folder
            .ok(&["domain", "add", "--account", other, "acme.test"])
            .await
            .contains("v=DKIM1")
    );
    let issued = folder
        .json(&["key", "issue", "--account", other, "--label", "web"])
        .await;
    let id = issued["id"].as_str().unwrap();
    for (verb, state) in [("freeze", "frozen"), ("thaw", "active"), ("revoke", "revoked")] {
        folder.ok(&["key", verb, "--account", other, id]).await;
        let keys = folder.json(&["key", "list", "--account", other]).await;
        assert_eq!(keys["keys"][0]["state"], state);
    }
    folder.ok(&["queue", "hold", &waiting]).await;
    folder.ok(&["queue", "release", &waiting]).await;
    assert_eq!(folder.json(&["audit", "rebuild", "--check"]).await["equal"], true);

    let after = folder.json(&["queue", "list"]).await;
    let facts = |list: &Value| {
        let one = &list["messages"][0];
        ["id", "state", "deferrals"].map(|name| one[name].clone())
    };
    assert_eq!(facts(&after), facts(&before), "no attempt was made in between");
    let shown = folder.json(&["message", "show", &waiting]).await;
    let timeline = shown["timeline"].as_array().unwrap();
    let events: Vec<_> = timeline.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(
        events[events.len() - 2..],
        ["MessageHeld", "MessageReleased"],
        "{events:?}"
    );

    let demo = Demo::start(data.path()).await;
    let keys = demo.folder.json(&["key", "list", "--account", &account]).await;
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2, "the demo's own two");
    let message = demo.send(demo.text("to")).await;
    demo.folder.until(&message, "delivered", Duration::from_secs(20)).await;
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_command_lets_go_waits_for_the_server() {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path()).await;
    let first = demo.send(demo.text("to")).await;
    let shown = demo.folder.until(&first, "delivered", Duration::from_secs(20)).await;
    let [account, key] = ["account", "key"].map(|name| shown[name].as_str().unwrap().to_owned());
    demo.folder.ok(&["key", "freeze", "--account", &account, &key]).await;
    let held = bash(demo.line("curl ")).await;
    let held: Value = serde_json::from_str(&held.stdout).unwrap();
    assert_eq!(held[0]["queued_reason"], "sending-paused", "{held}");
    let (held, folder) = (held[0]["_id"].as_str().unwrap().to_owned(), demo.folder.clone());
    demo.stop().await;

    folder.ok(&["key", "thaw", "--account", &account, &key]).await;
    let queue = folder.json(&["queue", "list"]).await;
    assert_eq!(
        (&queue["messages"][0]["id"], &queue["messages"][0]["state"]),
        (&json!(held), &json!("queued"))
    );
    let shown = folder.json(&["message", "show", &held]).await;
    let timeline = shown["timeline"].as_array().unwrap();
    assert_eq!(timeline.len(), 1, "due, and not tried: {shown}");

    let demo = Demo::start(data.path()).await;
    demo.folder.until(&held, "delivered", Duration::from_secs(20)).await;
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_without_data_is_not_made_into_one() {
    let data = tempfile::tempdir().unwrap();
    let folder = Folder(data.path().join("nothing"));
    for words in [&["queue", "list"][..], &["audit", "rebuild", "--check"]] {
        let said = folder.refused(words).await;
        assert!(
            said.contains("holds no data yet: run `sealpost serve --init` or `sealpost demo`"),
            "{said}"
        );
    }
    assert!(!folder.0.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_that_are_not_understood_end_with_2_and_a_missing_place_with_1() {
    for words in [
        &["sned"][..],
        &[],
        &["key", "issue"],
        &["message", "show", "no-id", "--data", "x"],
        &["queue", "list", "--data", "x", "--config", "y"],
    ] {
        let output = run(words).await;
        assert_eq!(output.code, 2, "{words:?}: {}", output.stderr);
        assert!(
            output.stderr.contains("Usage") || output.stderr.contains("--help"),
            "{}",
            output.stderr
        );
    }
    let output = run(&["queue", "list"]).await;
    assert_eq!(output.code, 1);
    assert!(
        output
            .stderr
            .contains("say where the data lies: --data DIR or --config FILE"),
        "{}",
        output.stderr
    );
}
