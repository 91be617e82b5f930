//! Of a person whose key is destroyed a report keeps what is not personal, and still ends the mail to that address.

use sealpost_domain::engagement::EngagementEvent;
use sealpost_domain::message::{MessageEvent, OutcomeClass};
use sealpost_domain::{Event, Personal, StreamId};

use crate::support::BounceWorld;
use crate::support::report_letters::notification;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bounce_of_somebody_who_is_erased_is_on_record_without_words() {
    let world = BounceWorld::start().await;
    let mail = world.taken("ann@inbox.test").await;
    let engine = world.sealpost.server.engine();
    let (reader, stream) = (engine.log().read(), StreamId::message(mail.id.parse().unwrap()));
    let stream = tokio::task::spawn_blocking(move || reader.stream(&stream).unwrap())
        .await
        .unwrap();
    let Event::Message(MessageEvent::MessageAccepted(accepted)) = &stream[0].event else {
        panic!("{stream:?}");
    };
    engine.vault().destroy_key(accepted.recipient_key).await.unwrap();

    let gone = notification("failed", "5.1.1", "550 5.1.1 no such user ann@inbox.test");
    assert_eq!(world.bring(&mail.reverse_path, &gone).await, "250 2.0.0 Taken");
    let late = world.late(&mail.id).await;
    let [EngagementEvent::BounceReceived(bounce)] = late.as_slice() else {
        panic!("{late:?}");
    };
    assert_eq!((bounce.reply.code, &bounce.reply.text), (550, &Personal::Erased));
    assert_eq!(bounce.judged.class, OutcomeClass::RecipientUnknown);
    let next = world.next_send("ann@inbox.test").await;
    assert_eq!(next["reason"], "hard_bounce", "{next}");
    world.sealpost.stop().await;
}
