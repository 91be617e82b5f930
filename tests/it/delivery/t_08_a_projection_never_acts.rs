//! The spool is emptied, deleted, left behind and damaged while mail flows: nothing leaves twice, nothing is lost.

use std::sync::Arc;
use std::time::Duration;

use sealpost::smtp::server::{Personality, RecipientRule};
use sealpost_domain::ids::MessageId;
use sealpost_domain::message::MessageEvent;
use sealpost_domain::{Event, Recorded};

use crate::support::{Inbox, Rig, SpoolFile, offer_all};

/// A receiver that takes everything and one that defers the first try.
async fn rig_with_two(plain: &Arc<Inbox>, grey: &Arc<Inbox>) -> Rig {
    let greylist = Personality {
        recipients: RecipientRule::Greylist,
        ..Personality::plain("grey.test")
    };
    Rig::start(vec![
        ("plain.test", Personality::plain("plain.test"), plain.clone()),
        ("grey.test", greylist, grey.clone()),
    ])
    .await
}

fn addresses(domain: &str, prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}{number}@{domain}")).collect()
}

async fn send_all(rig: &Rig, addresses: &[String]) -> Vec<MessageId> {
    let to: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let sent = rig.send(&to).await.unwrap();
    sent.iter().map(|sent| sent.message).collect()
}

fn count(events: &[Recorded], event_type: &str) -> usize {
    let of_type = |recorded: &&Recorded| recorded.event.event_type() == event_type;
    events.iter().filter(of_type).count()
}

fn assert_each_once(inbox: &Inbox, count: usize) {
    let twice: Vec<_> = inbox
        .by_recipient()
        .into_iter()
        .filter(|(_, times)| *times != 1)
        .collect();
    assert!(twice.is_empty(), "came more than once: {twice:?}");
    assert_eq!(inbox.count(), count);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_spool_that_is_deleted_and_emptied_while_mail_flows_sends_nothing_twice_and_loses_nothing() {
    let (plain, grey) = (Arc::new(Inbox::default()), Arc::new(Inbox::default()));
    let rig = rig_with_two(&plain, &grey).await;
    let file = SpoolFile::of(&rig.engine);
    for round in 0..10 {
        for batch in 0..4 {
            send_all(&rig, &addresses("plain.test", &format!("p{round}-{batch}-"), 10)).await;
            send_all(&rig, &addresses("grey.test", &format!("g{round}-{batch}-"), 5)).await;
            offer_all(&rig.engine);
        }
        if round % 2 == 0 {
            file.delete();
        } else {
            file.empty();
        }
        rig.clock.advance(Duration::from_secs(180));
        // What the rows say while they grow again is older than what the destinations know.
        let head = rig.engine.log().read().head();
        while !rig.engine.projected(head, Duration::ZERO) {
            offer_all(&rig.engine);
            tokio::task::yield_now().await;
        }
    }
    let delivered = |events: &[Recorded]| count(events, "MessageDelivered") >= 600;
    rig.drive_until_log("all is delivered", Duration::from_secs(370), delivered)
        .await;
    rig.engine.stop().await;
    assert_each_once(&plain, 400);
    assert_each_once(&grey, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_start_without_a_spool_finds_all_that_waits_in_the_log() {
    let (plain, grey) = (Arc::new(Inbox::default()), Arc::new(Inbox::default()));
    let rig = rig_with_two(&plain, &grey).await;
    send_all(&rig, &addresses("plain.test", "p", 20)).await;
    send_all(&rig, &addresses("grey.test", "g", 20)).await;
    rig.until_log("the first tries are over", |events| {
        count(events, "DeliveryDeferred") == 20
    })
    .await;
    plain.wait_for(20).await;
    let file = SpoolFile::of(&rig.engine);
    let rig = rig.restart_after(|| file.delete()).await;
    assert_eq!(grey.count(), 0);
    rig.clock.advance(Duration::from_secs(370));
    grey.wait_for(20).await;
    rig.engine.stop().await;
    assert_each_once(&plain, 20);
    assert_each_once(&grey, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_spool_that_is_left_10_000_events_behind_sends_nothing_twice_and_loses_nothing() {
    let (plain, grey) = (Arc::new(Inbox::default()), Arc::new(Inbox::default()));
    let rig = rig_with_two(&plain, &grey).await;
    send_all(&rig, &addresses("grey.test", "g", 100)).await;
    let events = rig
        .until_log("the first tries are over", |events| {
            count(events, "DeliveryDeferred") == 100
        })
        .await;
    let last = events.last().unwrap().position;
    assert!(rig.engine.projected(last, Duration::from_secs(20)));
    let file = SpoolFile::of(&rig.engine);
    let lock = file.lock();
    // The spool keeps saying that these wait, long after they are delivered.
    rig.clock.advance(Duration::from_secs(370));
    for batch in 0..4 {
        send_all(&rig, &addresses("plain.test", &format!("p{batch}-"), 850)).await;
        assert!(offer_all(&rig.engine) >= 100);
        plain.wait_for((batch + 1) * 850).await;
    }
    grey.wait_for(100).await;
    let delivered = |events: &[Recorded]| count(events, "MessageDelivered") >= 3_500;
    let head = rig.until_log("all is delivered", delivered).await.len();
    let behind = u64::try_from(head).unwrap() - file.checkpoint();
    assert!(behind >= 10_000, "{behind} events behind");
    assert!(offer_all(&rig.engine) >= 100);
    drop(lock);
    let head = rig.engine.log().read().head();
    while !rig.engine.projected(head, Duration::ZERO) {
        offer_all(&rig.engine);
        tokio::task::yield_now().await;
    }
    // Behind everything that was offered in vain.
    let marks = send_all(&rig, &addresses("plain.test", "mark", 1)).await;
    rig.until(marks[0], "MessageDelivered").await;
    let head = rig.engine.log().read().head();
    assert!(rig.engine.projected(head, Duration::from_secs(20)));
    let counts = rig.engine.spool().counts().unwrap();
    assert_eq!((counts.queued, counts.in_flight, counts.parked), (0, 0, 0));
    rig.engine.stop().await;
    assert_each_once(&plain, 3_401);
    assert_each_once(&grey, 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_damaged_row_parks_its_message_alone_and_a_rebuild_lets_it_go() {
    let (plain, grey) = (Arc::new(Inbox::default()), Arc::new(Inbox::default()));
    let rig = rig_with_two(&plain, &grey).await;
    let damaged = send_all(&rig, &addresses("grey.test", "damaged", 1)).await[0];
    send_all(&rig, &addresses("grey.test", "g", 30)).await;
    rig.until_log("the first tries are over", |events| {
        count(events, "DeliveryDeferred") == 31
    })
    .await;
    let head = rig.engine.log().read().head();
    assert!(rig.engine.projected(head, Duration::from_secs(20)));
    let file = SpoolFile::of(&rig.engine);
    file.corrupt(damaged, "order_json", "{\"damaged\":");
    let rig = rig.restart().await;
    send_all(&rig, &addresses("plain.test", "p", 30)).await;
    rig.clock.advance(Duration::from_secs(370));
    grey.wait_for(30).await;
    plain.wait_for(30).await;
    let page = rig.engine.spool().all_open(None, 100).unwrap();
    let parked: Vec<_> = page.parked.iter().map(|row| row.message()).collect();
    assert_eq!(parked, [Some(damaged)]);
    assert_eq!(rig.history(damaged).await, ["MessageAccepted", "DeliveryDeferred"]);
    let rig = rig.restart_after(|| file.delete()).await;
    rig.until(damaged, "MessageDelivered").await;
    rig.engine.stop().await;
    assert_each_once(&plain, 30);
    assert_each_once(&grey, 31);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_event_that_cannot_be_folded_parks_its_message_alone() {
    let (plain, grey) = (Arc::new(Inbox::default()), Arc::new(Inbox::default()));
    let rig = rig_with_two(&plain, &grey).await;
    let unfoldable = send_all(&rig, &addresses("grey.test", "forgotten", 1)).await[0];
    send_all(&rig, &addresses("grey.test", "g", 30)).await;
    rig.until_log("the first tries are over", |events| {
        count(events, "DeliveryDeferred") == 31
    })
    .await;
    // Nobody can say any more to whom it goes.
    let stream = rig.stream(unfoldable).await;
    let key = stream.iter().find_map(|recorded| match &recorded.event {
        Event::Message(MessageEvent::MessageAccepted(accepted)) => Some(accepted.recipient_key),
        _ => None,
    });
    rig.engine.vault().destroy_key(key.unwrap()).await.unwrap();
    let file = SpoolFile::of(&rig.engine);
    let rig = rig.restart_after(|| file.delete()).await;
    send_all(&rig, &addresses("plain.test", "p", 30)).await;
    rig.clock.advance(Duration::from_secs(370));
    grey.wait_for(30).await;
    plain.wait_for(30).await;
    let parked = rig.engine.spool().parked(None, 10).unwrap().parked;
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0].message(), Some(unfoldable));
    let head = rig.engine.log().read().head();
    assert!(
        rig.engine.projected(head, Duration::from_secs(20)),
        "a parked row counts as caught up"
    );
    assert_eq!(rig.history(unfoldable).await, ["MessageAccepted", "DeliveryDeferred"]);
    rig.engine.stop().await;
    assert_each_once(&plain, 30);
    assert_each_once(&grey, 30);
}
