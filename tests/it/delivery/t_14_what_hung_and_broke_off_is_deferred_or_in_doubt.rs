//! Mail for a destination that hangs stays where it is, the others' goes; when the hanging breaks off it is deferred, or
//! in doubt where the final dot was out, and comes in the end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sealpost::config::{Config, RouteConfig};
use sealpost::smtp::server::Personality;
use sealpost_domain::ids::MessageId;
use sealpost_domain::limits::CONNECTIONS_PER_SITE_MAX;

use crate::support::{Ending, Inbox, RawServer, Rig, RigOptions};

const OTHERS: usize = 19;
/// Mail for the one: more than its connections hold.
const FOR_THE_ONE: usize = 30;

/// How often each type of event was recorded for these messages.
async fn counts(rig: &Rig, messages: &[MessageId]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for message in messages {
        for event in rig.history(*message).await {
            *counts.entry(event).or_default() += 1;
        }
    }
    counts
}

async fn hang(ending: Ending) {
    let server = RawServer::hanging(ending).await;
    let route = RouteConfig::to("one.test", "127.0.0.1", server.port());
    let options = RigOptions {
        configure: Box::new(move |config: &mut Config| config.routes.push(route.clone())),
        ..RigOptions::default()
    };
    let inboxes: Vec<Arc<Inbox>> = (0..OTHERS).map(|_| Arc::default()).collect();
    let names: Vec<String> = (0..OTHERS).map(|number| format!("d{number}.test")).collect();
    let others = names.iter().zip(&inboxes);
    let domains = others.map(|(name, inbox)| (name.as_str(), Personality::plain(name), inbox.clone()));
    let rig = Rig::with(domains.collect(), options).await;

    let to: Vec<String> = (0..FOR_THE_ONE).map(|number| format!("a{number}@one.test")).collect();
    let one = rig.send_each(rig.account, rig.key, &to).await;
    let to: Vec<String> = names.iter().map(|name| format!("b@{name}")).collect();
    let rest = rig.send_each(rig.account, rig.key, &to).await;
    for message in rest {
        assert_eq!(rig.until(message, "MessageDelivered").await.len(), 3, "{ending:?}");
    }
    let hanging = counts(&rig, &one).await;
    for settled in ["DeliveryDeferred", "DeliveryInDoubt", "MessageDelivered"] {
        assert_eq!(
            hanging.get(settled),
            None,
            "{ending:?}: the others came while it hung, not after"
        );
    }

    server.break_off();
    rig.drive_until_log("all for the one is delivered", Duration::from_secs(70), |events| {
        let delivered = events
            .iter()
            .filter(|event| event.event.event_type() == "MessageDelivered");
        delivered.count() == OTHERS + FOR_THE_ONE
    })
    .await;
    let counts = counts(&rig, &one).await;
    let count = |event: &str| counts.get(event).copied().unwrap_or(0);
    assert_eq!(
        (count("MessageDelivered"), count("MessageBounced")),
        (FOR_THE_ONE, 0),
        "{ending:?}: {counts:?}"
    );
    let (deferred, doubts) = (count("DeliveryDeferred"), count("DeliveryInDoubt"));
    if ending == Ending::SilentAfterDot {
        // Whoever read the content and did not answer may have taken it: in doubt, and nothing else is.
        let connections = usize::try_from(CONNECTIONS_PER_SITE_MAX).unwrap();
        assert!((1..=connections).contains(&doubts), "{counts:?}");
        assert_eq!(
            server.taken().len(),
            FOR_THE_ONE + doubts,
            "what is in doubt came twice, nothing else"
        );
    } else {
        assert!(deferred >= 1 && doubts == 0, "{ending:?}: {counts:?}");
        assert_eq!(server.taken().len(), FOR_THE_ONE, "nothing came twice");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_that_never_greets_is_deferred_when_it_breaks_off() {
    hang(Ending::Silent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_that_greets_a_byte_a_second_is_deferred_when_it_breaks_off() {
    hang(Ending::ByteASecond).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_that_is_silent_after_the_final_dot_is_in_doubt_when_it_breaks_off() {
    hang(Ending::SilentAfterDot).await;
}
