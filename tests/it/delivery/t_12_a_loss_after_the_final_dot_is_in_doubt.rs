//! Between the final dot and its reply nobody knows: such a loss is on record as doubt, and nothing else is.

use std::sync::Arc;
use std::time::Duration;

use sealpost::actors::Manage;
use sealpost::config::{Config, RouteConfig};
use sealpost_domain::Event;
use sealpost_domain::account::AccountCommand;
use sealpost_domain::ids::MessageId;
use sealpost_domain::message::{DeferralReason, InDoubtCause, InDoubtPolicy, MessageEvent, Resolution};

use crate::support::{Ending, RawServer, Rig, RigOptions, draft};

async fn rig_before(endings: &[Ending]) -> (Rig, Arc<RawServer>) {
    let server = Arc::new(RawServer::start(endings).await);
    let route = RouteConfig::to("raw.test", "127.0.0.1", server.port());
    let configure = move |config: &mut Config| config.routes.push(route.clone());
    let options = RigOptions {
        configure: Box::new(configure),
        ..RigOptions::default()
    };
    (Rig::with(Vec::new(), options).await, server)
}

async fn doubts(rig: &Rig, message: MessageId) -> Vec<(InDoubtCause, bool)> {
    let mut doubts = Vec::new();
    for recorded in rig.stream(message).await {
        if let Event::Message(MessageEvent::DeliveryInDoubt { cause, resolution, .. }) = recorded.event {
            doubts.push((cause, matches!(resolution, Resolution::Resend { .. })));
        }
    }
    doubts
}

fn message_id(content: &str) -> &str {
    let lines = content.lines();
    let mut ids = lines.filter(|line| line.to_ascii_lowercase().starts_with("message-id:"));
    let id = ids.next().unwrap();
    assert_eq!(ids.next(), None);
    id
}

async fn deferral(rig: &Rig, message: MessageId) -> DeferralReason {
    let stream = rig.stream(message).await;
    let reason = stream.iter().find_map(|recorded| match &recorded.event {
        Event::Message(MessageEvent::DeliveryDeferred { reason, .. }) => Some(*reason),
        _ => None,
    });
    reason.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_after_the_final_dot_is_in_doubt_and_sent_again_under_the_same_message_id() {
    let (rig, server) = rig_before(&[Ending::ResetAfterDot, Ending::GarbageAfterDot]).await;
    let sent = rig.send(&["ann@raw.test"]).await.unwrap();
    let message = sent[0].message;
    rig.until(message, "DeliveryInDoubt").await;
    assert_eq!(server.taken().len(), 1, "nothing is sent again before its time");
    rig.drive_until_log("it is delivered", Duration::from_secs(70), |events| {
        events
            .iter()
            .any(|recorded| recorded.event.event_type() == "MessageDelivered")
    })
    .await;
    assert_eq!(
        doubts(&rig, message).await,
        [
            (InDoubtCause::ConnectionLost, true),
            (InDoubtCause::UnreadableReply, true)
        ]
    );
    let once = ["DeliveryStarted", "DeliveryInDoubt"];
    let expected = [
        &["MessageAccepted"][..],
        &once,
        &once,
        &["DeliveryStarted", "MessageDelivered"],
    ]
    .concat();
    assert_eq!(rig.history(message).await, expected);
    rig.engine.stop().await;
    let taken = server.taken();
    assert_eq!(taken.len(), 3);
    assert!(taken.iter().all(|content| message_id(content) == message_id(&taken[0])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_chose_so_has_its_doubtful_mail_held() {
    let (rig, server) = rig_before(&[Ending::ResetAfterDot]).await;
    let policy = AccountCommand::ChangeInDoubtPolicy {
        policy: InDoubtPolicy::Hold,
    };
    rig.manage(rig.account, Manage::Account(policy)).await.unwrap();
    let doubtful = rig.send(&["ann@raw.test"]).await.unwrap()[0].message;
    rig.until(doubtful, "DeliveryInDoubt").await;
    assert_eq!(doubts(&rig, doubtful).await, [(InDoubtCause::ConnectionLost, false)]);
    rig.clock.advance(Duration::from_secs(40_000));
    let rig = rig.restart().await;
    let later = rig.send(&["ben@raw.test"]).await.unwrap()[0].message;
    rig.until(later, "MessageDelivered").await;
    assert_eq!(
        rig.history(doubtful).await,
        ["MessageAccepted", "DeliveryStarted", "DeliveryInDoubt"]
    );
    let head = rig.engine.log().read().head();
    assert!(rig.engine.projected(head, Duration::from_secs(20)));
    assert_eq!(rig.engine.spool().counts().unwrap().held, 1);
    rig.engine.stop().await;
    assert_eq!(server.taken().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_before_the_final_dot_is_no_doubt() {
    let (rig, server) = rig_before(&[Ending::ResetAtData, Ending::ResetInContent]).await;
    let at_data = rig.send(&["ann@raw.test"]).await.unwrap()[0].message;
    rig.until(at_data, "DeliveryDeferred").await;
    assert_eq!(deferral(&rig, at_data).await, DeferralReason::ConnectionLost);
    assert_eq!(
        rig.history(at_data).await,
        [
            "MessageAccepted",
            "DeliveryStarted",
            "DeliveryNotStarted",
            "DeliveryDeferred"
        ]
    );
    // More than the buffers between the two hold, so that the client is still writing.
    let mut large = draft(&["ben@raw.test"]);
    large.text = Some("A line of a long letter that nobody reads to its end.\n".repeat(300_000));
    let in_content = rig.send_draft(&large).await.unwrap()[0];
    rig.until(in_content, "DeliveryDeferred").await;
    assert_eq!(deferral(&rig, in_content).await, DeferralReason::ConnectionLost);
    assert_eq!(
        rig.history(in_content).await,
        ["MessageAccepted", "DeliveryStarted", "DeliveryDeferred"]
    );
    assert!(server.taken().is_empty());
    rig.drive_until_log("both are delivered", Duration::from_secs(70), |events| {
        let delivered = events.iter().filter(|one| one.event.event_type() == "MessageDelivered");
        delivered.count() == 2
    })
    .await;
    for message in [at_data, in_content] {
        assert_eq!(doubts(&rig, message).await, []);
    }
    rig.engine.stop().await;
    assert_eq!(server.taken().len(), 2);
}
