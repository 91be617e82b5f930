//! A frozen key holds what it sends, and a thaw lets it go.

use std::sync::Arc;
use std::time::Duration;

use sealpost::actors::{Admission, Manage, Managed, Verdict};
use sealpost::smtp::server::Personality;
use sealpost_domain::Personal;
use sealpost_domain::api_key::ApiKeyCommand;

use crate::support::{Inbox, Rig, RigOptions, Script};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_of_a_frozen_key_waits_until_the_thaw() {
    let inbox = Arc::new(Inbox::default());
    let rig = Rig::start(vec![("plain.test", Personality::plain("plain.test"), inbox.clone())]).await;
    let freeze = ApiKeyCommand::FreezeKey {
        reason: Personal::Known("leaked?".to_owned()),
    };
    let frozen = rig.manage(rig.account, Manage::Key(rig.key, freeze)).await.unwrap();
    assert!(matches!(frozen, Managed::Frozen { begun, .. } if begun.is_empty()));
    let sent = rig.send(&["ann@plain.test"]).await.unwrap();
    assert_eq!(sent[0].answer.verdict, Verdict::Held);
    let rig = rig.restart().await;
    assert_eq!(rig.history(sent[0].message).await, ["MessageAccepted"]);
    rig.manage(rig.account, Manage::Key(rig.key, ApiKeyCommand::ThawKey))
        .await
        .unwrap();
    rig.until(sent[0].message, "MessageDelivered").await;
    assert_eq!(inbox.wait_for(1).await.len(), 1);
    rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_whose_refusal_is_heard_of_after_the_thaw_goes_on_at_once() {
    let (inbox, script) = (Arc::new(Inbox::default()), Arc::new(Script::default()));
    let mut options = RigOptions::default();
    options.ports.wrap_attempt = script.wrap();
    // What the thaw does not bring back by itself does not come at all.
    options.ports.refill_every = Duration::from_secs(3_600);
    let receivers = vec![("plain.test", Personality::plain("plain.test"), inbox.clone())];
    let rig = Rig::with(receivers, options).await;
    script.shut();
    let late = rig.send(&["late-refusal@plain.test"]).await.unwrap();
    script.wait_for(1).await;
    let freeze = ApiKeyCommand::FreezeKey {
        reason: Personal::Known("leaked?".to_owned()),
    };
    rig.manage(rig.account, Manage::Key(rig.key, freeze)).await.unwrap();
    let held = rig.send(&["held@plain.test"]).await.unwrap();
    assert_eq!(held[0].answer.verdict, Verdict::Held);
    script.open();
    script.wait_for_refused(1).await;
    rig.manage(rig.account, Manage::Key(rig.key, ApiKeyCommand::ThawKey))
        .await
        .unwrap();
    // Both are brought from the spool together, the older one first: its destination still has it then.
    rig.until(held[0].message, "MessageDelivered").await;
    script.listen();
    rig.until(late[0].message, "MessageDelivered").await;
    assert_eq!(inbox.wait_for(2).await.len(), 2);
    rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_sends_nothing_more_and_its_use_is_on_record_once() {
    let inbox = Arc::new(Inbox::default());
    let rig = Rig::start(vec![("plain.test", Personality::plain("plain.test"), inbox)]).await;
    let revoke = ApiKeyCommand::RevokeKey {
        reason: Personal::Known("leaked".to_owned()),
    };
    rig.manage(rig.account, Manage::Key(rig.key, revoke)).await.unwrap();
    for _ in 0..3 {
        let refused = rig.engine.accounts().check(rig.claim(rig.account, rig.key)).await;
        assert!(matches!(refused, Err(Admission::Refused(_))));
        assert!(matches!(
            rig.send(&["ann@plain.test"]).await,
            Err(Admission::Refused(_))
        ));
    }
    let head = rig.engine.log().read().head();
    let reader = rig.engine.log().read();
    let events = tokio::task::spawn_blocking(move || reader.events(0, 1_000).unwrap())
        .await
        .unwrap();
    assert_eq!(events.last().unwrap().position, head);
    let refusals = events
        .iter()
        .filter(|recorded| recorded.event.event_type() == "KeyUseRefused")
        .count();
    assert_eq!(refusals, 1);
    rig.engine.stop().await;
}
