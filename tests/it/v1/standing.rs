//! What an account may when it is suspended or parked, and what a message shows when its content is erased.

use std::sync::Arc;

use sealpost::actors::Manage;
use sealpost_domain::Personal;
use sealpost_domain::account::AccountCommand;
use sealpost_domain::metadata::Metadata;
use serde_json::json;

use crate::support::{Sealpost, mandrill_mail, spawn_sealpost, v1_mail};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_offered_yet_is_refused_and_never_ignored() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let before = sealpost.head();
    for (member, value, name) in [
        ("subaccount", json!("customer-1"), "Unknown_Subaccount"),
        (
            "merge_vars",
            json!([{ "rcpt": "ann@inbox.test", "vars": [] }]),
            "ValidationError",
        ),
        (
            "global_merge_vars",
            json!([{ "name": "NAME", "content": "Ann" }]),
            "ValidationError",
        ),
        ("bcc_address", json!("boss@example.org"), "ValidationError"),
    ] {
        let mut mail = mandrill_mail(&["ann@inbox.test"]);
        mail[member] = value;
        let answer = key.mandrill("messages/send", json!({ "message": mail })).await;
        assert_eq!(answer.mandrill_error().1, name, "{member}");
    }
    let later = json!({ "message": mandrill_mail(&["ann@inbox.test"]), "send_at": "2026-01-06 00:00:00" });
    let answer = key.mandrill("messages/send", later).await;
    assert_eq!(answer.mandrill_error().1, "ValidationError");
    assert_eq!(sealpost.recorded_after(before).await, Vec::<String>::new());
    sealpost.stop().await;
}
