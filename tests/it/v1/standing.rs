//! What an account may when it is suspended or parked, and what a message shows when its content is erased.

use std::sync::Arc;
use std::time::Duration;

use sealpost::actors::Manage;
use sealpost_domain::Personal;
use sealpost_domain::account::AccountCommand;
use sealpost_domain::metadata::Metadata;
use serde_json::json;

use crate::support::{Sealpost, SendingKey, mandrill_mail, spawn_sealpost, v1_mail};

/// Gives a command to the account, as a program beside the doors would.
async fn command(sealpost: &Sealpost, command: AccountCommand) {
    let account = sealpost.account.parse().unwrap();
    let metadata = Arc::new(Metadata::system(Some(account), "n1"));
    let accounts = sealpost.server.engine().accounts();
    accounts
        .manage(account, metadata, Manage::Account(command))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspended_account_does_nothing_until_it_is_reinstated() {
    let sealpost = spawn_sealpost().await;
    let (key, manager) = (sealpost.sending_key().await, sealpost.management_key().await);
    let reason = Personal::Known("unpaid".to_owned());
    command(&sealpost, AccountCommand::SuspendAccount { reason }).await;
    let before = sealpost.head();
    let refused = key.0.post("/v1/messages", &v1_mail(&["ann@inbox.test"])).await;
    assert_eq!(refused.problem(), (403, "account_suspended"));
    let refused = manager.0.get("/v1/keys").await;
    assert_eq!(refused.problem(), (403, "account_suspended"));
    let refused = key
        .mandrill(
            "messages/send",
            json!({ "message": mandrill_mail(&["ann@inbox.test"]) }),
        )
        .await;
    assert_eq!(
        refused.mandrill_error(),
        (403, "Invalid_Key", "The account is suspended.")
    );
    assert_eq!(
        sealpost.recorded_after(before).await,
        ["KeyUseRefused", "KeyUseRefused"],
        "one for each key"
    );
    command(&sealpost, AccountCommand::ReinstateAccount).await;
    let sent = key.send_v1(&v1_mail(&["ann@inbox.test"])).await;
    assert_eq!(sent[0]["status"], "accepted");
    assert_eq!(sealpost.inbox.wait_for(1).await.len(), 1);
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erased_content_is_gone_and_the_record_of_the_message_stays() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let sent = key.send(mandrill_mail(&["ann@inbox.test"])).await;
    let id = sent[0]["_id"].as_str().unwrap();
    sealpost.until(id, "MessageDelivered").await;
    key.mandrill("messages/content", json!({ "id": id })).await.ok();
    let vault = sealpost.server.engine().vault();
    vault.erase_content(id.parse().unwrap()).await.unwrap();
    let erased = key.mandrill("messages/content", json!({ "id": id })).await;
    assert_eq!(
        erased.mandrill_error(),
        (404, "Unknown_Message", "The content of the message was erased.")
    );
    let info = key.mandrill("messages/info", json!({ "id": id })).await.ok();
    assert_eq!(
        (&info["state"], &info["subject"]),
        (&json!("sent"), &json!("Your order"))
    );
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parked_account_is_told_so_and_its_neighbour_sends() {
    let sealpost = spawn_sealpost().await;
    let (key, neighbour) = (sealpost.sending_key().await, sealpost.stranger("other.example").await);
    for _ in 0..3 {
        sealpost.clock.mine_account_actors(1);
        let broken = key.mandrill("users/ping", json!({})).await;
        assert_eq!(broken.mandrill_error().1, "ServiceUnavailable");
        assert_eq!(sealpost.clock.mines(), 0);
    }
    let parked = key.0.post("/v1/messages", &v1_mail(&["ann@inbox.test"])).await;
    assert_eq!(parked.problem(), (503, "account_parked"));
    assert_eq!(parked.header("retry-after"), "60");
    let mut mail = v1_mail(&["ann@inbox.test"]);
    mail["from"] = "news@other.example".into();
    assert_eq!(neighbour.send_v1(&mail).await[0]["status"], "accepted");
    assert_eq!(sealpost.inbox.wait_for(1).await.len(), 1);
    let sealpost = sealpost.restart().await;
    let again = key.at(sealpost.server.addresses().plain.unwrap());
    assert_eq!(
        again.mandrill("users/ping", json!({})).await.ok(),
        "PONG!",
        "a restart gives it another try"
    );
    sealpost.stop().await;
}

/// Makes the account's actor panic so often.
async fn break_account(sealpost: &Sealpost, key: &SendingKey, times: usize) {
    for _ in 0..times {
        sealpost.clock.mine_account_actors(1);
        let broken = key.mandrill("users/ping", json!({})).await;
        assert_eq!(broken.mandrill_error().1, "ServiceUnavailable");
        assert_eq!(sealpost.clock.mines(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parked_account_is_let_go_by_the_operator_and_that_is_on_record() {
    let sealpost = spawn_sealpost().await;
    let (key, control) = (sealpost.sending_key().await, sealpost.control());
    let unpark = format!("/accounts/{}/unpark", sealpost.account);
    assert_eq!(
        control.post(&unpark, &json!({})).await.problem(),
        (409, "account_not_parked")
    );
    for _ in 0..2 {
        break_account(&sealpost, &key, 3).await;
        let refused = key.0.post("/v1/messages", &v1_mail(&["ann@inbox.test"])).await;
        assert_eq!(refused.problem(), (503, "account_parked"));
        let status = control.get("/status").await.ok();
        assert_eq!(status["parked_accounts"], json!([sealpost.account]));
        let before = sealpost.head();
        let unparked = control.post(&unpark, &json!({})).await.ok();
        assert_eq!(unparked["position"], json!(sealpost.head()));
        let recorded = sealpost.recorded_after(before).await;
        assert_eq!(
            recorded.last().map(String::as_str),
            Some("ActorUnparked"),
            "{recorded:?}"
        );
        let sent = key.send_v1(&v1_mail(&["ann@inbox.test"])).await;
        // Nothing of it is under way when the account is broken again.
        sealpost
            .until(sent[0]["id"].as_str().unwrap(), "MessageDelivered")
            .await;
        assert_eq!(control.get("/status").await.ok()["parked_accounts"], json!([]));
    }
    let nobody = "/accounts/0123456789abcdef0123456789abcdef/unpark";
    for unknown in [nobody, "/accounts/no-id/unpark"] {
        assert_eq!(
            control.post(unknown, &json!({})).await.problem(),
            (404, "unknown_account")
        );
    }
    assert_eq!(sealpost.inbox.wait_for(2).await.len(), 2);
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_broke_twice_and_was_well_for_an_hour_is_not_parked_by_the_third_time() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    break_account(&sealpost, &key, 2).await;
    // It works again, so that both are counted before time passes.
    assert_eq!(key.mandrill("users/ping", json!({})).await.ok(), "PONG!");
    sealpost.clock.advance(Duration::from_secs(3_600));
    break_account(&sealpost, &key, 2).await;
    assert_eq!(key.mandrill("users/ping", json!({})).await.ok(), "PONG!");
    break_account(&sealpost, &key, 1).await;
    let refused = key.0.post("/v1/messages", &v1_mail(&["ann@inbox.test"])).await;
    assert_eq!(refused.problem(), (503, "account_parked"));
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_offered_yet_is_refused_and_never_ignored() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let before = sealpost.head();
    for (member, value) in [
        ("html", json!("<a href=\"*|UNSUB:https://example.org|*\">away</a>")),
        ("text", json!("*|IF:NAME|*Hello")),
        ("merge_language", json!("perl")),
    ] {
        let mut mail = mandrill_mail(&["ann@inbox.test"]);
        mail["global_merge_vars"] = json!([{ "name": "NAME", "content": "Ann" }]);
        mail[member] = value;
        let answer = key.mandrill("messages/send", json!({ "message": mail })).await;
        let (_, name, text) = answer.mandrill_error();
        assert_eq!(name, "ValidationError", "{member}");
        assert!(
            text.contains(&format!("message.{member}")) || text.contains(member),
            "{text}"
        );
    }
    let later = json!({ "message": mandrill_mail(&["ann@inbox.test"]), "send_at": "2026-01-06 00:00:00" });
    let answer = key.mandrill("messages/send", later).await;
    assert_eq!(answer.mandrill_error().1, "ValidationError");
    assert_eq!(sealpost.recorded_after(before).await, Vec::<String>::new());
    sealpost.stop().await;
}
