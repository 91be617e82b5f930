//! An actor that breaks takes nothing with it: its successor waits for what was decided, and knows what had begun.

use std::sync::Arc;
use std::time::Duration;

use sealpost::actors::{Admission, Manage, Managed};
use sealpost::smtp::server::Personality;
use sealpost_domain::Personal;
use sealpost_domain::api_key::ApiKeyCommand;

use crate::log_contract::{Faults, Gate};
use crate::support::{Inbox, Rig, RigOptions};

fn freeze() -> ApiKeyCommand {
    ApiKeyCommand::FreezeKey {
        reason: Personal::Known("leaked?".to_owned()),
    }
}

fn revoke() -> ApiKeyCommand {
    ApiKeyCommand::RevokeKey {
        reason: Personal::Known("leaked".to_owned()),
    }
}

async fn break_actor(rig: &Rig) {
    rig.clock.mine_account_actors(1);
    let answer = rig.engine.accounts().check(rig.claim(rig.account, rig.key)).await;
    assert!(matches!(answer, Err(Admission::Unavailable)), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_revocation_that_is_on_its_way_to_the_disk_holds_after_its_actor_broke() {
    let faults = Arc::new(Faults::default());
    let mut options = RigOptions::default();
    let gate = faults.clone();
    options.ports.wrap_store = Arc::new(move |store| Box::new(Gate::before(store, gate.clone())));
    let rig = Arc::new(Rig::with(vec![], options).await);
    faults.shut();
    let revoking = tokio::spawn({
        let rig = rig.clone();
        async move { rig.manage(rig.account, Manage::Key(rig.key, revoke())).await }
    });
    let waiting = faults.clone();
    tokio::task::spawn_blocking(move || waiting.wait_until_one_waits())
        .await
        .unwrap();
    break_actor(&rig).await;
    // Wakes the successor while the revocation is not on disk. Whether it is answered by then is not what counts.
    let accounts = rig.engine.accounts().clone();
    let (claim, next) = (rig.claim(rig.account, rig.key), rig.claim(rig.account, rig.key));
    let early = accounts.check(claim);
    drop(tokio::time::timeout(Duration::from_millis(500), early).await);
    faults.open();
    assert!(matches!(revoking.await.unwrap(), Ok(Managed::Done { .. })));
    let answer = accounts.check(next).await;
    assert!(
        matches!(answer, Err(Admission::Refused(_))),
        "after the revocation: {answer:?}"
    );
    drop(accounts);
    Arc::into_inner(rig).unwrap().engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_freeze_names_the_attempts_that_began_under_an_actor_that_broke() {
    let inbox = Arc::new(Inbox::default());
    let rig = Rig::start(vec![("plain.test", Personality::plain("plain.test"), inbox.clone())]).await;
    inbox.shut();
    let sent = rig
        .send(&["ann@plain.test", "ben@plain.test", "cyd@plain.test"])
        .await
        .unwrap();
    inbox.wait_at_door(3).await;
    break_actor(&rig).await;
    let frozen = rig.manage(rig.account, Manage::Key(rig.key, freeze())).await.unwrap();
    let Managed::Frozen { begun, .. } = frozen else {
        panic!("{frozen:?}");
    };
    let mut named: Vec<_> = begun.iter().map(|begun| begun.message).collect();
    let mut messages: Vec<_> = sent.iter().map(|sent| sent.message).collect();
    named.sort_unstable();
    messages.sort_unstable();
    assert_eq!(named, messages);
    inbox.open();
    for sent in &sent {
        rig.until(sent.message, "MessageDelivered").await;
    }
    rig.manage(rig.account, Manage::Key(rig.key, ApiKeyCommand::ThawKey))
        .await
        .unwrap();
    let again = rig.manage(rig.account, Manage::Key(rig.key, freeze())).await.unwrap();
    assert!(
        matches!(&again, Managed::Frozen { begun, .. } if begun.is_empty()),
        "what ended is not named: {again:?}"
    );
    rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_frozen_key_held_is_not_let_go_by_its_revocation() {
    let inbox = Arc::new(Inbox::default());
    let rig = Rig::start(vec![("plain.test", Personality::plain("plain.test"), inbox.clone())]).await;
    rig.manage(rig.account, Manage::Key(rig.key, freeze())).await.unwrap();
    let held = rig.send(&["ann@plain.test"]).await.unwrap();
    rig.manage(rig.account, Manage::Key(rig.key, revoke())).await.unwrap();
    // A start offers everything that waits. What another key sends to the same place comes behind it.
    let rig = rig.restart().await;
    let other = sealpost_domain::ids::KeyId::from_uuid(sealpost::clock::draw_uuid());
    rig.issue_key(rig.account, other).await;
    let later = rig.send_with(rig.account, other, &["ben@plain.test"]).await.unwrap();
    rig.until(later[0].message, "MessageDelivered").await;
    let rig = rig.restart().await;
    assert_eq!(rig.history(held[0].message).await, ["MessageAccepted"]);
    rig.manage(rig.account, Manage::Key(rig.key, ApiKeyCommand::ThawKey))
        .await
        .unwrap();
    rig.until(held[0].message, "MessageDelivered").await;
    assert!(matches!(
        rig.send(&["cyd@plain.test"]).await,
        Err(Admission::Refused(_))
    ));
    rig.engine.stop().await;
    assert_eq!(inbox.count(), 2);
}
