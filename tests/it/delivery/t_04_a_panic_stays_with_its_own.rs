//! A panic drops one actor or one attempt: it is rebuilt, counted, and parked the third time, and nobody else notices.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sealpost::actors::Admission;
use sealpost::clock::draw_uuid;
use sealpost::smtp::server::Personality;
use sealpost_domain::ids::{AccountId, KeyId, MessageId};
use sealpost_domain::message::MessageEvent;
use sealpost_domain::shard::{ParkedActor, ShardEvent};
use sealpost_domain::{Event, Recorded};

use crate::support::{Inbox, PanickingAttempts, Rig, RigOptions};

async fn rig_with_neighbour(inbox: &Arc<Inbox>) -> (Rig, AccountId, KeyId) {
    let rig = Rig::start(vec![("plain.test", Personality::plain("plain.test"), inbox.clone())]).await;
    let (neighbour, key) = (AccountId::from_uuid(draw_uuid()), KeyId::from_uuid(draw_uuid()));
    rig.open_account(neighbour).await;
    rig.issue_key(neighbour, key).await;
    (rig, neighbour, key)
}

fn addresses(prefix: &str, count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("{prefix}{number}@plain.test"))
        .collect()
}

fn parked(events: &[Recorded]) -> Vec<(ParkedActor, u32)> {
    events
        .iter()
        .filter_map(|recorded| match &recorded.event {
            Event::Shard(ShardEvent::ActorParked { actor, panics }) => Some((actor.clone(), *panics)),
            _ => None,
        })
        .collect()
}

/// Makes the actor of the rig's account panic, once for each of three crowds of requests. Each waiter is answered.
async fn break_account_three_times(rig: &Rig) {
    for _ in 0..3 {
        rig.clock.mine_account_actors(1);
        let crowd = (0..8).map(|_| rig.engine.accounts().check(rig.claim(rig.account, rig.key)));
        let answers = futures_util::future::join_all(crowd).await;
        assert!(answers.iter().any(Result::is_err), "whoever stepped on the mine knows");
        assert_eq!(rig.clock.mines(), 0);
    }
}

/// Waits until so many messages are on record as delivered.
async fn delivered(rig: &Rig, count: usize) {
    let of = |events: &[Recorded]| {
        events
            .iter()
            .filter(|one| one.event.event_type() == "MessageDelivered")
            .count()
    };
    rig.until_log("all mail so far is delivered", |events| of(events) >= count)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_account_is_rebuilt_twice_and_parked_the_third_time_while_its_neighbour_sends() {
    let inbox = Arc::new(Inbox::default());
    let (rig, neighbour, key) = rig_with_neighbour(&inbox).await;
    rig.send_each(rig.account, rig.key, &addresses("before", 5)).await;
    for round in 0..2 {
        // The mine is for the next call alone: a start or an outcome of earlier mail would set it off instead.
        delivered(&rig, 5 + 10 * round).await;
        rig.clock.mine_account_actors(1);
        assert!(matches!(
            rig.send(&["lost@plain.test"]).await,
            Err(Admission::Unavailable)
        ));
        rig.send_each(neighbour, key, &addresses(&format!("other{round}-"), 5))
            .await;
        rig.send_each(rig.account, rig.key, &addresses(&format!("again{round}-"), 5))
            .await;
    }
    // What a parked account has in its queue waits there.
    delivered(&rig, 25).await;
    rig.clock.mine_account_actors(1);
    assert!(rig.send(&["lost@plain.test"]).await.is_err());
    let events = rig
        .until_log("the account is parked", |events| !parked(events).is_empty())
        .await;
    assert_eq!(parked(&events), [(ParkedActor::Account(rig.account), 3)]);
    for _ in 0..3 {
        assert!(matches!(rig.send(&["no@plain.test"]).await, Err(Admission::Parked)));
    }
    rig.send_each(neighbour, key, &addresses("after", 5)).await;
    inbox.wait_for(15 + 15).await;
    rig.engine.stop().await;
    assert!(inbox.by_recipient().values().all(|count| *count == 1));
    assert_eq!(
        inbox.count(),
        30,
        "what was accepted came once, what was not came never"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crowds_at_a_breaking_account_never_let_it_out_of_the_parking() {
    let inbox = Arc::new(Inbox::default());
    let (rig, ..) = rig_with_neighbour(&inbox).await;
    break_account_three_times(&rig).await;
    rig.until_log("the account is parked", |events| !parked(events).is_empty())
        .await;
    for _ in 0..50 {
        let answer = rig.engine.accounts().check(rig.claim(rig.account, rig.key)).await;
        assert!(matches!(answer, Err(Admission::Parked)), "{answer:?}");
    }
    assert_eq!(parked(&rig.events().await).len(), 1);
    rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_open_attempts_of_a_parked_account_are_closed_and_free_the_connections_for_others() {
    let inbox = Arc::new(Inbox::default());
    let (rig, neighbour, key) = rig_with_neighbour(&inbox).await;
    inbox.shut();
    // More than the site has connections: each of them holds a message of the account that breaks.
    let messages = rig.send_each(rig.account, rig.key, &addresses("open", 12)).await;
    inbox.wait_at_door(10).await;
    break_account_three_times(&rig).await;
    rig.until_log("the account is parked", |events| !parked(events).is_empty())
        .await;
    let others = rig.send_each(neighbour, key, &addresses("other", 20)).await;
    inbox.open();
    for message in &others {
        rig.until(*message, "MessageDelivered").await;
    }
    let mut delivered = 0;
    for message in &messages {
        let history = rig.history(*message).await;
        match history.last().map(String::as_str) {
            Some("MessageDelivered") => delivered += 1,
            Some("MessageAccepted") => {}
            other => panic!("{other:?} of {history:?}"),
        }
    }
    assert_eq!(delivered, 10, "what had begun is on record, what had not waits");
    let rig = rig.restart().await;
    for message in &messages {
        rig.until(*message, "MessageDelivered").await;
    }
    rig.engine.stop().await;
    assert_eq!(inbox.count(), 32);
    assert!(inbox.by_recipient().values().all(|count| *count == 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_whose_attempts_panic_is_held_the_third_time_and_the_others_of_its_site_go_on() {
    let inbox = Arc::new(Inbox::default());
    let mut options = RigOptions::default();
    options.ports.wrap_attempt = PanickingAttempts::wrap();
    let rig = Rig::with(
        vec![("plain.test", Personality::plain("plain.test"), inbox.clone())],
        options,
    )
    .await;
    let poison = rig
        .send(&["panics-before@plain.test", "panics-after@plain.test"])
        .await
        .unwrap();
    let others = rig.send_each(rig.account, rig.key, &addresses("other", 30)).await;
    let events = rig
        .drive_until_log("both are parked", Duration::from_secs(600), |events| {
            parked(events).len() == 2
        })
        .await;
    for message in others {
        rig.until(message, "MessageDelivered").await;
    }
    let [before, after] = [poison[0].message, poison[1].message];
    assert_eq!(
        parked(&events).into_iter().collect::<BTreeSet<_>>(),
        BTreeSet::from([(ParkedActor::Message(before), 3), (ParkedActor::Message(after), 3)])
    );
    assert_eq!(rig.history(before).await, ["MessageAccepted", "MessageHeld"]);
    let once = ["DeliveryStarted", "DeliveryInDoubt"];
    let expected = [&["MessageAccepted"][..], &once, &once, &once, &["MessageHeld"]].concat();
    assert_eq!(rig.history(after).await, expected);
    rig.engine.stop().await;
    let counts = inbox.by_recipient();
    assert_eq!(counts.get("panics-before@plain.test"), None);
    assert_eq!(
        counts["panics-after@plain.test"],
        doubts(&events, after),
        "whatever came twice is on record as in doubt"
    );
    assert_eq!(counts.len(), 31);
    assert_eq!(inbox.count(), 30 + 3);
}

fn doubts(events: &[Recorded], message: MessageId) -> usize {
    events
        .iter()
        .filter(|recorded| recorded.stream == sealpost_domain::StreamId::message(message))
        .filter(|recorded| matches!(recorded.event, Event::Message(MessageEvent::DeliveryInDoubt { .. })))
        .count()
}
