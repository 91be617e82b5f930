//! Revocations, freezes, uses and starts have one order: what comes after the answer stands on it, at any rate.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use sealpost::actors::{
    Admission, Begun, Deliverable, Manage, Managed, RecipientKind, SendCall, SendRecipient, Verdict,
};
use sealpost::clock::draw_uuid;
use sealpost::smtp::server::Personality;
use sealpost_domain::api_key::ApiKeyCommand;
use sealpost_domain::ids::{AttemptId, KeyId};
use sealpost_domain::message::MessageEvent;
use sealpost_domain::{Event, Personal, Recorded, StreamId};

use crate::log_contract::{Faults, Gate};
use crate::support::{Inbox, Rig, RigOptions};

fn revoke() -> ApiKeyCommand {
    ApiKeyCommand::RevokeKey {
        reason: Personal::Known("leaked".to_owned()),
    }
}

fn freeze() -> ApiKeyCommand {
    ApiKeyCommand::FreezeKey {
        reason: Personal::Known("leaked?".to_owned()),
    }
}

async fn plain_rig(inbox: &Arc<Inbox>) -> Rig {
    Rig::start(vec![("plain.test", Personality::plain("plain.test"), inbox.clone())]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_use_is_accepted_after_the_answer_to_the_revocation() {
    let inbox = Arc::new(Inbox::default());
    let rig = Arc::new(plain_rig(&inbox).await);
    let revoked = Arc::new(AtomicBool::new(false));
    let accepted = Arc::new(AtomicUsize::new(0));
    let mut users = Vec::new();
    for user in 0..8 {
        let (rig, revoked, accepted) = (rig.clone(), revoked.clone(), accepted.clone());
        users.push(tokio::spawn(async move {
            // What a call needs is made before, so that the key is used as fast as it can be.
            let mut calls = Vec::new();
            for number in 0..60 {
                let to = format!("user{user}-{number}@plain.test");
                calls.push(rig.send_call(rig.account, rig.key, &[&to]).await);
            }
            for call in calls {
                let was_revoked = revoked.load(Ordering::SeqCst);
                let check = rig.engine.accounts().check(call.claim.clone()).await;
                assert!(
                    !(was_revoked && check.is_ok()),
                    "a use is admitted after the revocation"
                );
                let was_revoked = revoked.load(Ordering::SeqCst);
                match rig.engine.accounts().send(call).await {
                    Ok(_) => {
                        assert!(!was_revoked, "a call is accepted after the revocation");
                        accepted.fetch_add(1, Ordering::SeqCst);
                    }
                    Err(Admission::Refused(_)) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
        }));
    }
    inbox.wait_for(40).await;
    let answer = rig.manage(rig.account, Manage::Key(rig.key, revoke())).await.unwrap();
    revoked.store(true, Ordering::SeqCst);
    let Managed::Done { position } = answer else {
        panic!("{answer:?}");
    };
    for user in users {
        user.await.unwrap();
    }
    let events = rig.events().await;
    let accepts = events
        .iter()
        .filter(|recorded| recorded.event.event_type() == "MessageAccepted");
    let accepts: Vec<u64> = accepts.map(|recorded| recorded.position).collect();
    assert_eq!(accepts.len(), accepted.load(Ordering::SeqCst));
    assert!(accepts.len() < 8 * 60, "the revocation came while the key was used");
    assert!(accepts.iter().all(|accepted_at| *accepted_at < position));
    inbox.wait_for(accepts.len()).await;
    Arc::into_inner(rig).unwrap().engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_of_a_frozen_key_starts_after_the_freeze_and_what_had_begun_is_named() {
    let inbox = Arc::new(Inbox::default());
    // What the thaw does not bring back by itself does not come at all here.
    let mut options = RigOptions::default();
    options.ports.refill_every = Duration::from_secs(3_600);
    let receivers = vec![("plain.test", Personality::plain("plain.test"), inbox.clone())];
    let rig = Rig::with(receivers, options).await;
    let addresses: Vec<String> = (0..600).map(|number| format!("u{number}@plain.test")).collect();
    let to: Vec<&str> = addresses.iter().map(String::as_str).collect();
    rig.send(&to).await.unwrap();
    let other = KeyId::from_uuid(draw_uuid());
    rig.issue_key(rig.account, other).await;
    let mut freezes = Vec::new();
    for round in 1..=8 {
        inbox.wait_for(round * 60).await;
        let frozen = rig.manage(rig.account, Manage::Key(rig.key, freeze())).await.unwrap();
        let Managed::Frozen { position, begun } = frozen else {
            panic!("{frozen:?}");
        };
        // Another key's mail goes on, so that time passes in which the frozen one's would.
        let to = format!("other{round}@plain.test");
        let sent = rig.send_with(rig.account, other, &[&to]).await.unwrap();
        rig.until(sent[0].message, "MessageDelivered").await;
        let thawed = rig
            .manage(rig.account, Manage::Key(rig.key, ApiKeyCommand::ThawKey))
            .await;
        let Ok(Managed::Done { position: thawed_at }) = thawed else {
            panic!("{thawed:?}");
        };
        freezes.push((position, thawed_at, begun));
    }
    inbox.wait_for(608).await;
    let delivered = |events: &[Recorded]| count(events, "MessageDelivered") == 608;
    let events = rig.until_log("all is delivered", delivered).await;
    assert_eq!(count(&events, "DeliveryStarted"), 608);
    for (frozen_at, thawed_at, begun) in freezes {
        check_freeze(&of_key(&events, rig.key), frozen_at, thawed_at, &begun);
    }
    rig.engine.stop().await;
    assert_eq!(inbox.count(), 608);
    assert!(inbox.by_recipient().values().all(|count| *count == 1));
}

fn count(events: &[Recorded], event_type: &str) -> usize {
    events
        .iter()
        .filter(|recorded| recorded.event.event_type() == event_type)
        .count()
}

/// Events of the messages that the key sent.
fn of_key(events: &[Recorded], key: KeyId) -> Vec<Recorded> {
    let sent: BTreeSet<StreamId> = events
        .iter()
        .filter(|recorded| match &recorded.event {
            Event::Message(MessageEvent::MessageAccepted(accepted)) => accepted.key == key,
            _ => false,
        })
        .map(|recorded| recorded.stream.clone())
        .collect();
    let mut events = events.to_vec();
    events.retain(|recorded| sent.contains(&recorded.stream));
    events
}

fn check_freeze(events: &[Recorded], frozen_at: u64, thawed_at: u64, begun: &[Begun]) {
    let mut open: BTreeSet<AttemptId> = BTreeSet::new();
    let mut started: BTreeMap<AttemptId, u64> = BTreeMap::new();
    for recorded in events {
        match &recorded.event {
            Event::Message(MessageEvent::DeliveryStarted(start)) => {
                let inside = frozen_at < recorded.position && recorded.position < thawed_at;
                assert!(!inside, "an attempt starts at {} in a freeze", recorded.position);
                started.insert(start.attempt_id, recorded.position);
                if recorded.position < frozen_at {
                    open.insert(start.attempt_id);
                }
            }
            Event::Message(MessageEvent::MessageDelivered { attempted, .. }) if recorded.position < frozen_at => {
                open.remove(&attempted.attempt_id);
            }
            _ => {}
        }
    }
    let named: BTreeSet<AttemptId> = begun.iter().map(|begun| begun.attempt).collect();
    assert!(open.is_subset(&named), "{open:?} were open, {named:?} are named");
    for attempt in named {
        assert!(started[&attempt] < frozen_at, "what is named had begun before");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_call_that_fails_in_a_group_fails_alone() {
    let inbox = Arc::new(Inbox::default());
    let faults = Arc::new(Faults::default());
    let mut options = RigOptions::default();
    let gate = faults.clone();
    options.ports.wrap_store = Arc::new(move |store| Box::new(Gate::before(store, gate.clone())));
    let plain = ("plain.test", Personality::plain("plain.test"), inbox.clone());
    let rig = Rig::with(vec![plain], options).await;
    let mut calls = Vec::new();
    for number in 0..8 {
        let to = format!("user{number}@plain.test");
        calls.push(rig.send_call(rig.account, rig.key, &[&to]).await);
    }
    calls.push(the_same_again(&calls[3]));
    let twice = calls[3].recipients[0].message;
    faults.shut();
    let mut answers = Vec::new();
    for call in calls {
        let (accounts, message) = (rig.engine.accounts().clone(), call.recipients[0].message);
        answers.push((message, tokio::spawn(async move { accounts.send(call).await })));
        // The first waits at the gate, and all others meet in the round behind it.
        let waiting = faults.clone();
        tokio::task::spawn_blocking(move || waiting.wait_until_one_waits())
            .await
            .unwrap();
    }
    faults.open();
    let mut failed = Vec::new();
    for (message, answer) in answers {
        match answer.await.unwrap() {
            Ok(answers) => assert_eq!(answers[0].verdict, Verdict::Accepted),
            Err(Admission::MessageChanged) => failed.push(message),
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(failed, [twice]);
    inbox.wait_for(8).await;
    rig.engine.stop().await;
    assert!(inbox.by_recipient().values().all(|count| *count == 1));
    assert_eq!(inbox.count(), 8);
}

/// A call that names the message of another.
fn the_same_again(call: &SendCall) -> SendCall {
    let SendRecipient {
        message,
        given,
        kind,
        own,
    } = &call.recipients[0];
    let RecipientKind::Deliverable(deliverable) = kind else {
        panic!("{kind:?}");
    };
    SendCall {
        claim: call.claim.clone(),
        header_from: call.header_from.clone(),
        subject: call.subject.clone(),
        tags: call.tags.clone(),
        user_metadata: call.user_metadata.clone(),
        subaccount: call.subaccount.clone(),
        tracking: call.tracking,
        tls_required: call.tls_required,
        expires_at: call.expires_at,
        recipients: vec![SendRecipient {
            message: *message,
            given: given.clone(),
            kind: RecipientKind::Deliverable(Box::new(Deliverable {
                mailbox: deliverable.mailbox.clone(),
                token: deliverable.token.clone(),
                recipient_key: deliverable.recipient_key,
                reverse_path: deliverable.reverse_path.clone(),
                content: deliverable.content.clone(),
                message_id_header: deliverable.message_id_header.clone(),
                suppressed: None,
            })),
            own: own.clone(),
        }],
        idempotency: None,
    }
}
