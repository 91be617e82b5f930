//! What a receiver says decides what follows: later, never, or never again to this address.

use std::sync::Arc;
use std::time::Duration;

use sealpost::actors::Verdict;
use sealpost::smtp::server::{Personality, RecipientRule};
use sealpost_domain::Event;
use sealpost_domain::ids::MessageId;
use sealpost_domain::message::{BounceKind, MessageEvent, OutcomeClass, RejectReason};

use crate::support::{Inbox, Rig};

fn refusing(code: u16, text: &str) -> Personality {
    Personality {
        recipients: RecipientRule::Reject(code, text.to_owned()),
        ..Personality::plain("refuse.test")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hard_bounce_suppresses_the_address_for_the_next_call() {
    let inbox = Arc::new(Inbox::default());
    let rig = Rig::start(vec![(
        "reject.test",
        refusing(550, "5.1.1 no such user"),
        inbox.clone(),
    )])
    .await;
    let first = rig.send(&["ann@reject.test"]).await.unwrap();
    let history = rig.until(first[0].message, "MessageBounced").await;
    assert_eq!(
        history,
        ["MessageAccepted", "MessageBounced"],
        "a refused recipient is no attempt at DATA"
    );
    let second = rig.send(&["ann@reject.test", "bob@reject.test"]).await.unwrap();
    assert_eq!(second[0].answer.verdict, Verdict::Rejected(RejectReason::HardBounce));
    assert_eq!(second[1].answer.verdict, Verdict::Accepted);
    assert_eq!(rig.history(second[0].message).await, ["MessageRejected"]);
    assert_eq!(inbox.count(), 0);
    rig.engine.stop().await;
}

/// Class and wait of a message's deferral.
async fn deferral(rig: &Rig, message: MessageId) -> (OutcomeClass, Duration) {
    let stream = rig.stream(message).await;
    let deferred = stream.iter().find_map(|recorded| match &recorded.event {
        Event::Message(MessageEvent::DeliveryDeferred {
            attempted,
            judged,
            next_attempt_at,
            ..
        }) => Some((judged.unwrap().class, next_attempt_at.since(attempted.ended_at))),
        _ => None,
    });
    deferred.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_of_us_suppresses_nobody() {
    let inbox = Arc::new(Inbox::default());
    let blocked = refusing(550, "5.1.1 your address is listed at zen.spamhaus.org");
    let rig = Rig::start(vec![("blocked.test", blocked, inbox)]).await;
    let first = rig.send(&["ann@blocked.test"]).await.unwrap();
    rig.until(first[0].message, "MessageBounced").await;
    let bounce = rig.stream(first[0].message).await.pop().unwrap().event;
    let Event::Message(MessageEvent::MessageBounced { kind, judged, .. }) = bounce else {
        panic!("{bounce:?}")
    };
    let judged = judged.unwrap();
    assert_eq!(
        (kind, judged.class, judged.rules),
        (BounceKind::Blocked, OutcomeClass::Blocked, 1)
    );
    let second = rig.send(&["ann@blocked.test"]).await.unwrap();
    assert_eq!(second[0].answer.verdict, Verdict::Accepted);
    rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_greylisted_message_is_tried_again_when_it_is_due_and_not_before() {
    let inbox = Arc::new(Inbox::default());
    let greylist = Personality {
        recipients: RecipientRule::Greylist,
        ..Personality::plain("grey.test")
    };
    let rig = Rig::start(vec![("grey.test", greylist, inbox.clone())]).await;
    let sent = rig.send(&["ann@grey.test"]).await.unwrap();
    rig.until(sent[0].message, "DeliveryDeferred").await;
    let rig = rig.restart().await;
    assert_eq!(inbox.count(), 0, "a restart makes nothing due");
    // The schedule begins with a minute; those who greylist want five.
    let (class, wait) = deferral(&rig, sent[0].message).await;
    assert_eq!(class, OutcomeClass::Greylisted);
    assert!((300..=360).contains(&wait.as_secs()), "{wait:?}");
    rig.clock.advance(Duration::from_secs(370));
    rig.until(sent[0].message, "MessageDelivered").await;
    assert_eq!(inbox.wait_for(1).await.len(), 1);
    rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_takes_in_time_bounces() {
    let inbox = Arc::new(Inbox::default());
    let rig = Rig::start(vec![("later.test", refusing(450, "4.2.0 not now"), inbox)]).await;
    let sent = rig.send(&["ann@later.test"]).await.unwrap();
    rig.until(sent[0].message, "DeliveryDeferred").await;
    rig.clock.advance(Duration::from_secs(90_000));
    rig.until(sent[0].message, "MessageBounced").await;
    rig.engine.stop().await;
}
