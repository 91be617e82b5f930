//! An answer of the log that is lost, late or a no: nothing is sent on it, nothing is believed before it, and no worker
//! waits for it.

use std::sync::Arc;
use std::time::Duration;

use sealpost::actors::{Manage, ManageMessage, Verdict};
use sealpost::log::LogState;
use sealpost::smtp::server::Personality;
use sealpost_domain::Event;
use sealpost_domain::api_key::ApiKeyCommand;
use sealpost_domain::ids::MessageId;
use sealpost_domain::message::{HoldReason, Message, MessageCommand};
use sealpost_domain::metadata::Actor;

use crate::log_contract::{Fault, Faults, Gate};
use crate::support::{Inbox, Rig, RigOptions, Script};

struct World {
    rig: Rig,
    script: Arc<Script>,
    faults: Arc<Faults>,
    inbox: Arc<Inbox>,
}

async fn world() -> World {
    let (script, faults) = (Arc::new(Script::default()), Arc::new(Faults::default()));
    let mut options = RigOptions::default();
    options.ports.wrap_attempt = script.wrap();
    let gate = faults.clone();
    options.ports.wrap_store = Arc::new(move |store| Box::new(Gate::before(store, gate.clone())));
    let inbox = Arc::new(Inbox::default());
    let rig = Rig::with(
        vec![("plain.test", Personality::plain("plain.test"), inbox.clone())],
        options,
    )
    .await;
    World {
        rig,
        script,
        faults,
        inbox,
    }
}

/// Waits until whatever came of all attempts is settled.
async fn until_out_of_hand(rig: &Rig) {
    let settled = async {
        while rig.engine.theatre().in_hand() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), settled).await.unwrap();
}

const LOST_START: [&str; 5] = [
    "MessageAccepted",
    "DeliveryStarted",
    "DeliveryNotStarted",
    "DeliveryStarted",
    "MessageDelivered",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_nobody_heard_of_is_ended_as_one_that_sent_nothing_and_the_mail_goes() {
    let World { rig, script, inbox, .. } = world().await;
    let sent = rig.send(&["lost-start@plain.test"]).await.unwrap();
    rig.until(sent[0].message, "DeliveryNotStarted").await;
    until_out_of_hand(&rig).await;
    assert_eq!(script.attempts(), 1, "it is not offered again before its time");
    rig.clock.advance(Duration::from_secs(1));
    rig.until(sent[0].message, "MessageDelivered").await;
    assert_eq!(rig.history(sent[0].message).await, LOST_START);
    rig.engine.stop().await;
    assert_eq!(inbox.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_server_is_asked_for_anything_while_the_log_has_stopped() {
    let World {
        rig,
        script,
        faults,
        inbox,
    } = world().await;
    let sent = rig.send(&["lost-start@plain.test"]).await.unwrap();
    rig.until(sent[0].message, "DeliveryNotStarted").await;
    until_out_of_hand(&rig).await;
    faults.set_away(true);
    faults.fail_next(Fault::Before);
    let freeze = ApiKeyCommand::FreezeKey {
        reason: sealpost_domain::Personal::Known("test".to_owned()),
    };
    let (frozen, ()) = tokio::join!(rig.manage(rig.account, Manage::Key(rig.key, freeze)), async {
        let waiting = faults.clone();
        tokio::task::spawn_blocking(move || waiting.wait_for_begins(2))
            .await
            .unwrap();
        assert_eq!(rig.engine.log().state(), LogState::Stopped);
        // The message is due from here on; the store is tried once a second.
        rig.clock.advance(Duration::from_secs(5));
        let waiting = faults.clone();
        tokio::task::spawn_blocking(move || waiting.wait_for_begins(5))
            .await
            .unwrap();
        faults.set_away(false);
    });
    assert!(frozen.is_err(), "{frozen:?}");
    rig.clock.advance(Duration::from_secs(5));
    rig.until(sent[0].message, "MessageDelivered").await;
    assert_eq!(script.attempts(), 2, "one that was lost and one that sent");
    rig.engine.stop().await;
    assert_eq!(inbox.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_worker_waits_for_an_outcome_to_come_to_the_disk() {
    let World {
        rig, script, faults, ..
    } = world().await;
    script.shut();
    let to: Vec<String> = (0..14).map(|number| format!("hard{number}@plain.test")).collect();
    let messages = rig.send_each(rig.account, rig.key, &to).await;
    script.wait_for(10).await;
    faults.shut();
    script.open();
    // More than there are connections, and nothing comes to the disk.
    script.wait_for(14).await;
    faults.open();
    for message in messages {
        rig.until(message, "MessageBounced").await;
    }
    rig.engine.stop().await;
}

async fn hold(rig: &Rig, message: MessageId) {
    let recorded = rig.stream(message).await;
    let mut state = Message::default();
    for one in &recorded {
        if let Event::Message(event) = &one.event {
            state.evolve(event);
        }
    }
    let hold = ManageMessage {
        message,
        state,
        sequence: u64::try_from(recorded.len()).unwrap(),
        command: MessageCommand::Hold {
            reason: HoldReason::Asked,
            by: Actor::System,
        },
    };
    rig.manage(rig.account, Manage::Message(Box::new(hold))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_suppressed_by_a_bounce_that_is_on_disk_and_by_no_other() {
    let World { rig, script, .. } = world().await;
    script.shut();
    let sent = rig.send(&["hard@plain.test"]).await.unwrap();
    script.wait_for(1).await;
    hold(&rig, sent[0].message).await;
    script.open();
    until_out_of_hand(&rig).await;
    assert_eq!(rig.history(sent[0].message).await, ["MessageAccepted", "MessageHeld"]);
    let again = rig.send(&["hard@plain.test"]).await.unwrap();
    assert_eq!(again[0].answer.verdict, Verdict::Accepted);
    rig.until(again[0].message, "MessageBounced").await;
    let refused = rig.send(&["hard@plain.test"]).await.unwrap();
    assert!(
        matches!(refused[0].answer.verdict, Verdict::Rejected(_)),
        "{:?}",
        refused[0].answer
    );
    rig.engine.stop().await;
}
