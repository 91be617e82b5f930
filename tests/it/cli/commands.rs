//! Commands to a running server: accounts, domains, keys, the queue, the audit.

use std::time::Duration;

use serde_json::{Value, json};

use super::program::{Demo, Folder};
use crate::support::http_client;

async fn create_account(folder: &Folder, login: &str) -> String {
    let created = folder
        .json(&["account", "create", "--name", "Acme", "--login", login])
        .await;
    created["account"].as_str().unwrap().to_owned()
}

async fn ping(api: &str, key: &str) -> u16 {
    let client = http_client().build().unwrap();
    let call = client.post(format!("{api}/users/ping")).json(&json!({ "key": key }));
    call.send().await.unwrap().status().as_u16()
}

/// Chooses what signs for a domain with both keys, and for one that begins with one.
async fn what_signs_is_chosen(folder: &Folder, account: &str) {
    let choose = async |domain: &str, signing: &str| {
        let chosen = folder
            .json(&["domain", "dkim", "--account", account, domain, signing])
            .await;
        let signs = |key: &Value| key["signs"].as_bool().unwrap().then(|| key["algorithm"].to_string());
        let keys = chosen["dkim"].as_array().unwrap();
        (keys.len(), keys.iter().filter_map(signs).collect::<Vec<_>>().join(" "))
    };
    let (rsa, ed25519) = ("\"rsa-sha256\"", "\"ed25519-sha256\"");
    assert_eq!(choose("acme.test", "ed25519").await, (2, ed25519.to_owned()));
    assert_eq!(choose("acme.test", "none").await, (2, String::new()));
    assert_eq!(choose("acme.test", "both").await, (2, format!("{rsa} {ed25519}")));
    folder
        .ok(&["domain", "add", "--account", account, "--dkim", "rsa", "one.acme.test"])
        .await;
    assert_eq!(
        choose("one.acme.test", "rsa").await,
        (1, rsa.to_owned()),
        "nothing is made twice"
    );
    assert_eq!(choose("one.acme.test", "both").await, (2, format!("{rsa} {ed25519}")));
    let none = ["domain", "add", "--account", account, "--dkim", "none", "two.acme.test"];
    assert!(folder.ok(&none).await.contains("Nothing signs"));
    assert!(folder.refused(&none).await.contains("It exists already."));
    let listed = folder.ok(&["domain", "list", "--account", account]).await;
    assert!(
        listed.contains("acme.test  signing: both") && listed.contains("two.acme.test  signing: none"),
        "{listed}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_domains_and_keys_from_nothing_to_a_mail() {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path()).await;
    let folder = &demo.folder;
    let text = folder
        .ok(&["account", "create", "--name", "Shop", "--login", "ann@shop.test"])
        .await;
    assert!(
        text.contains("account ") && text.contains("password ") && text.contains("(shown once)"),
        "{text}"
    );
    let taken = folder
        .refused(&["account", "create", "--name", "Other", "--login", "Ann@shop.test"])
        .await;
    assert!(taken.contains("The sign-in address is in use."), "{taken}");

    let account = create_account(folder, "boss@acme.test").await;
    let add = ["domain", "add", "--account", &account, "acme.test"];
    let record = folder.ok(&add).await;
    assert!(
        record.contains("._domainkey.acme.test") && record.contains("v=DKIM1"),
        "{record}"
    );
    assert!(
        folder.refused(&add).await.contains("It exists already."),
        "a second time"
    );

    assert!(
        record.contains("v=DKIM1; k=rsa; p=") && record.contains("v=DKIM1; k=ed25519; p="),
        "{record}"
    );
    what_signs_is_chosen(folder, &account).await;

    let unpark = folder.refused(&["account", "unpark", &account]).await;
    assert!(unpark.contains("The account is not parked."), "{unpark}");

    let issue = ["key", "issue", "--account", &account, "--label", "web"];
    let issued = folder.json(&issue).await;
    let key = issued["key"].as_str().unwrap();
    let mail = json!({ "key": key, "message": {
        "from_email": "news@acme.test", "to": [{ "email": "ann@tls.demo.test" }], "text": "Hello.",
    } });
    let client = http_client().build().unwrap();
    let sent = client
        .post(format!("{}/messages/send", demo.text("api")))
        .json(&mail)
        .send()
        .await
        .unwrap();
    let sent: Value = sent.json().await.unwrap();
    assert_eq!(sent[0]["status"], "sent", "{sent}");
    folder
        .until(sent[0]["_id"].as_str().unwrap(), "delivered", Duration::from_secs(20))
        .await;
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_issued_listed_frozen_thawed_and_revoked() {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path()).await;
    let (folder, api) = (&demo.folder, demo.text("api"));
    let account = create_account(folder, "boss@acme.test").await;
    let issue = ["key", "issue", "--account", &account, "--label", "web"];
    for (more, prefix) in [
        (&[][..], "key spk_live_"),
        (&["--management"][..], "key spm_live_"),
        (&["--world", "test"][..], "key spk_test_"),
    ] {
        let text = folder.ok(&[&issue[..], more].concat()).await;
        assert!(text.starts_with(prefix) && text.contains("(shown once)"), "{text}");
    }
    let issued = folder.json(&issue).await;
    let (key, id) = (issued["key"].as_str().unwrap(), issued["id"].as_str().unwrap());
    assert_eq!(ping(api, key).await, 200);
    let state = async || {
        let listed = folder.json(&["key", "list", "--account", &account]).await;
        let listed = listed["keys"].as_array().unwrap().clone();
        assert_eq!(listed.len(), 4);
        let one = listed.into_iter().find(|one| one["id"] == id).expect("the key");
        one["state"].as_str().unwrap().to_owned()
    };
    for (verb, then, again) in [
        ("freeze", "frozen", "The key is frozen already."),
        ("thaw", "active", "The key is not frozen."),
        ("revoke", "revoked", "The key is revoked already."),
    ] {
        let change = ["key", verb, "--account", &account, "--reason", "a test", id];
        let text = folder.ok(&change).await;
        assert!(text.contains("on record at position "), "{text}");
        assert_eq!(state().await, then);
        let refused = folder.refused(&change).await;
        assert!(refused.contains(again), "{refused}");
        assert_eq!(refused.matches(again).count(), 1, "said once: {refused}");
    }
    assert_eq!(ping(api, key).await, 401);
    let table = folder.ok(&["key", "list", "--account", &account]).await;
    assert!(
        table.starts_with("ID ") && table.contains("revoked") && !table.contains(key),
        "{table}"
    );
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_listed_held_and_released() {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path()).await;
    let folder = &demo.folder;
    let message = demo.send("ann@broken.demo.test").await;
    folder.until(&message, "deferred", Duration::from_secs(20)).await;
    let states = async || {
        let listed = folder.json(&["queue", "list"]).await;
        let messages = listed["messages"].as_array().unwrap();
        let state = |one: &Value| {
            (
                one["id"].as_str().unwrap().to_owned(),
                one["state"].as_str().unwrap().to_owned(),
            )
        };
        messages.iter().map(state).collect::<Vec<_>>()
    };
    assert_eq!(states().await, [(message.clone(), "queued".to_owned())]);
    assert!(folder.ok(&["queue", "hold", &message]).await.contains("on record"));
    assert_eq!(states().await, [(message.clone(), "held".to_owned())]);
    assert!(
        folder
            .refused(&["queue", "hold", &message])
            .await
            .contains("The message is held.")
    );
    let table = folder.ok(&["queue", "list"]).await;
    assert!(
        table.contains("ann@broken.demo.test") && table.contains("1 held"),
        "{table}"
    );
    assert!(folder.ok(&["queue", "release", &message]).await.contains("on record"));
    assert_eq!(
        states().await,
        [(message.clone(), "queued".to_owned())],
        "until it is due"
    );
    let unknown = "0123456789abcdef0123456789abcdef";
    for words in [
        ["queue", "hold", unknown],
        ["queue", "release", unknown],
        ["message", "show", unknown],
    ] {
        assert!(
            folder.refused(&words).await.contains("There is no such message."),
            "{words:?}"
        );
    }
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_read_models_are_what_the_log_says() {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path()).await;
    for receiver in ["tls", "broken", "reject"] {
        demo.send(&format!("ann@{receiver}.demo.test")).await;
    }
    let checked = demo.folder.json(&["audit", "rebuild", "--check"]).await;
    assert_eq!(checked["equal"], true, "{checked}");
    let projections = checked["projections"].as_array().unwrap();
    assert_eq!(projections.len(), 3, "{checked}");
    for one in projections {
        assert!(one["events"].as_u64().unwrap() > 0, "{one}");
        assert_eq!(one["live"], one["rebuilt"], "{one}");
    }
    let refused = demo.folder.refused(&["audit", "rebuild"]).await;
    assert!(refused.contains("--check"), "{refused}");
    demo.stop().await;
}
