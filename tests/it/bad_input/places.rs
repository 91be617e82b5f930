//! Folders, keys and disks that do not do: a second process, the wrong master key, a full disk.

use std::os::unix::fs::PermissionsExt;

use sealpost::serve::{Ports, Server, StartFailure};
use sealpost::vault::{MasterKey, VaultFailure};
use serde_json::json;

use super::case::{Refused, Watched, check_mandrill, check_v1};
use crate::support::{mandrill_mail, spawn_sealpost, spawn_sealpost_with, v1_mail};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_program_on_the_same_folder_does_not_start_and_the_first_goes_on() {
    let mut watched = Watched::new(spawn_sealpost().await).await;
    let failure = Server::start(&watched.sealpost.config, Ports::default()).await.err();
    let failure = failure.expect("a second program started");
    assert!(matches!(failure, StartFailure::FolderInUse { .. }), "{failure:?}");
    let data = watched.sealpost.config.data.display();
    assert_eq!(
        failure.to_string(),
        format!("another process uses the data folder {data}: talk to it through its control socket, or end it")
    );
    watched.check_unmoved("the second start");
    watched.check_serving().await;
    watched.sealpost.control().get("/status").await.ok();
    watched.sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wrong_master_key_opens_nothing_and_spoils_nothing() {
    let watched = Watched::new(spawn_sealpost().await).await;
    let config = watched.sealpost.config.clone();
    let path = config.master_key_path();
    let right = std::fs::read(&path).unwrap();
    let sealpost = watched
        .sealpost
        .restart_after(async || {
            std::fs::remove_file(&path).unwrap();
            check_vault(&config, |failure| matches!(failure, VaultFailure::Io { .. })).await;
            MasterKey::create(&path).unwrap();
            check_vault(&config, |failure| matches!(failure, VaultFailure::WrongMasterKey)).await;
            std::fs::write(&path, "sealpost-master-key-1:short").unwrap();
            check_vault(&config, |failure| matches!(failure, VaultFailure::MasterKeyFile { .. })).await;
            std::fs::write(&path, &right).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            check_vault(&config, |failure| matches!(failure, VaultFailure::MasterKeyFile { .. })).await;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        })
        .await;
    let mut watched = Watched::new(sealpost).await;
    watched.check_serving().await;
    watched.sealpost.stop().await;
}

async fn check_vault(config: &sealpost::config::Config, expected: impl Fn(&VaultFailure) -> bool) {
    let failure = Server::start(config, Ports::default()).await.err();
    match failure {
        Some(StartFailure::Vault(failure)) if expected(&failure) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_takes_no_mail_and_still_lets_a_key_be_revoked() {
    let full = Refused {
        v1: (503, "disk_full"),
        mandrill: (503, "ServiceUnavailable"),
    };
    let sealpost = spawn_sealpost_with(|config| config.disk.accept_mark_bytes = u64::MAX).await;
    let mut watched = Watched::new(sealpost).await;
    let leaked = watched.sealpost.sending_key().await;
    let manager = watched.sealpost.management_key().await;
    watched.check_recorded("two keys", &["KeyIssued", "KeyIssued"]).await;
    let v1 = watched.key.0.post("/v1/messages", &v1_mail(&["ann@inbox.test"])).await;
    check_v1("a full disk", &v1, full, "");
    let message = json!({ "message": mandrill_mail(&["ann@inbox.test"]) });
    let mandrill = watched.key.mandrill("messages/send", message).await;
    check_mandrill("a full disk", &mandrill, full, "disk");
    for answer in [&v1, &mandrill] {
        assert_eq!(answer.header("retry-after"), "60");
    }
    watched.check_unmoved("a full disk");
    manager.act("revoke", &leaked.0.id).await.ok();
    watched.check_recorded("a revoke", &["KeyRevoked"]).await;
    assert_eq!(watched.key.mandrill("users/ping", json!({})).await.ok(), "PONG!");
    let sealpost = watched.sealpost;
    let mut config = sealpost.config.clone();
    config.disk.accept_mark_bytes = 0;
    let sealpost = sealpost.restart_with(config).await;
    Watched::new(sealpost).await.check_serving().await;
}
