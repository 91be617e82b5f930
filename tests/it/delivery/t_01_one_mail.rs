//! One mail goes from the accept to the receiver, and the log says what happened.

use std::sync::Arc;

use sealpost::smtp::server::Personality;
use sealpost_domain::Event;
use sealpost_domain::message::MessageEvent;

use crate::support::{Inbox, Rig};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_arrives_and_is_on_record() {
    let inbox = Arc::new(Inbox::default());
    let rig = Rig::start(vec![("plain.test", Personality::plain("plain.test"), inbox.clone())]).await;
    let sent = rig.send(&["ann@plain.test"]).await.unwrap();
    let message = sent[0].message;
    let mail = inbox.wait_for(1).await;
    let history = rig.until(message, "MessageDelivered").await;
    assert_eq!(history, ["MessageAccepted", "DeliveryStarted", "MessageDelivered"]);
    let started = rig
        .stream(message)
        .await
        .into_iter()
        .find_map(|recorded| match recorded.event {
            Event::Message(MessageEvent::DeliveryStarted(started)) => Some(started),
            _ => None,
        });
    let started = started.unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &mail[0].content);
    let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        started.content_sha256, hex,
        "the log names exactly the bytes that the receiver took"
    );
    assert_eq!(started.content_bytes, mail[0].content.len() as u64);
    rig.engine.stop().await;
}
