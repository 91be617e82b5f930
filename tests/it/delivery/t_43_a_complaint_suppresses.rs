//! A feedback report names its message by a reverse-path of ours, and its recipient is written to no more.

use sealpost_domain::engagement::{ComplaintKind, EngagementEvent};

use crate::support::BounceWorld;
use crate::support::report_letters::complaint;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_complaint_is_on_record_and_ends_the_mail_to_that_address() {
    let world = BounceWorld::start().await;
    let mail = world.taken("ann@inbox.test").await;
    let before = world.sealpost.head();
    let of = |reverse_path: &str| complaint(&format!("Return-Path: <{reverse_path}>\r\nSubject: Your order"));
    let forged = mail.reverse_path.replacen("b+", "b+a", 1);
    let nobody = ["Subject: Your order".to_owned(), format!("Return-Path: <{forged}>")];
    for original in nobody {
        let said = world.bring("complaints@bounce.test", &complaint(&original)).await;
        assert_eq!(said, "250 2.0.0 Taken, and not read by anybody");
    }
    assert_eq!(world.sealpost.head(), before, "what nobody signed names nobody");

    let said = world.bring("Complaints@bounce.test", &of(&mail.reverse_path)).await;
    assert_eq!(said, "250 2.0.0 Taken");
    let late = world.late(&mail.id).await;
    let [EngagementEvent::ComplaintReceived(received)] = late.as_slice() else {
        panic!("{late:?}");
    };
    assert_eq!(received.kind, ComplaintKind::Abuse);
    assert_eq!(received.reporting_mta.as_deref(), Some("fbl.test"));
    let shown = world.shown(&mail.id).await;
    assert_eq!(
        (&shown["state"], &shown["reason"]),
        (&"complained".into(), &"abuse".into()),
        "{shown}"
    );
    assert_eq!(world.info(&mail.id).await["state"], "spam");
    let next = world.next_send("ann@inbox.test").await;
    assert_eq!(
        (&next["status"], &next["reason"]),
        (&"rejected".into(), &"complaint".into()),
        "{next}"
    );
    assert_eq!(world.next_send("bob@inbox.test").await["status"], "accepted");

    // The same at the message's own reverse-path, which needs to quote nothing.
    let bob = world.taken("carl@inbox.test").await;
    assert_eq!(
        world.bring(&bob.reverse_path, &complaint("Subject: x")).await,
        "250 2.0.0 Taken"
    );
    assert_eq!(world.shown(&bob.id).await["state"], "complained");
    world.sealpost.stop().await;
}
