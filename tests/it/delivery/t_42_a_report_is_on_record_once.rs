//! What a letter to a reverse-path is taken for: a failure is a bounce, a delay and an answer are none, twice is once.

use sealpost_domain::engagement::EngagementEvent;
use sealpost_domain::message::{BounceKind, OutcomeClass};

use crate::support::BounceWorld;
use crate::support::report_letters::notification;

const TAKEN: &str = "250 2.0.0 Taken";
const NOT_READ: &str = "250 2.0.0 Taken, and not read by anybody";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delay_is_no_bounce_and_the_same_failure_is_one() {
    let world = BounceWorld::start().await;
    let mail = world.taken("ann@inbox.test").await;
    let before = world.sealpost.head();
    let delayed = notification("delayed", "4.4.1", "451 4.4.1 nobody answers");
    let away = "From: ann@inbox.test\r\nAuto-Submitted: auto-replied\r\n\r\nI am away.\r\n".to_owned();
    for letter in [&delayed, &away, &"\r\n".to_owned()] {
        assert_eq!(world.bring(&mail.reverse_path, letter).await, NOT_READ);
    }
    assert_eq!(world.sealpost.head(), before, "a delay is no bounce");
    assert_eq!(world.shown(&mail.id).await["state"], "delivered");

    let full = notification("failed", "5.2.2", "552 5.2.2 over quota");
    for _ in 0..3 {
        assert_eq!(world.bring(&mail.reverse_path, &full).await, TAKEN);
    }
    let late = world.late(&mail.id).await;
    assert_eq!(late.len(), 1, "the same report tells nothing new");
    let EngagementEvent::BounceReceived(bounce) = &late[0] else {
        panic!("{late:?}");
    };
    assert_eq!(
        (bounce.kind, bounce.judged.class),
        (BounceKind::Soft, OutcomeClass::Quota)
    );
    assert_eq!(world.info(&mail.id).await["state"], "soft-bounced");
    let next = world.next_send("ann@inbox.test").await;
    assert_eq!(
        next["status"], "accepted",
        "a full mailbox is no reason never to write again"
    );

    let gone = notification("failed", "5.1.1", "550 5.1.1 no such user");
    assert_eq!(world.bring(&mail.reverse_path, &gone).await, TAKEN);
    assert_eq!(world.late(&mail.id).await.len(), 2);
    let next = world.next_send("ann@inbox.test").await;
    assert_eq!(next["reason"], "hard_bounce", "{next}");
    world.sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_got_a_message_cannot_fill_the_log_with_reports_on_it() {
    let world = BounceWorld::start().await;
    let mail = world.taken("ann@inbox.test").await;
    for number in 0..12 {
        let failed = notification("failed", "4.2.2", &format!("452 4.2.2 over quota by {number}"));
        assert_eq!(world.bring(&mail.reverse_path, &failed).await, TAKEN);
    }
    assert_eq!(world.late(&mail.id).await.len(), 8);
    // A quarter of what may be said, and far more than is kept of it.
    let long = notification("failed", "5.1.1", "550 5.1.1 gone") + &"x\r\n".repeat(1_000_000);
    assert_eq!(world.bring(&mail.reverse_path, &long).await, TAKEN);
    world.sealpost.stop().await;
}
