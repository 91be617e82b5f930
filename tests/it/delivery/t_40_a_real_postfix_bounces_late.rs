//! Debian's Postfix takes a mail, hears later that nobody wants it, and its report is on record and suppresses.

use std::sync::Arc;

use sealpost::config::{Config, RouteConfig};
use sealpost_domain::Personal;
use sealpost_domain::engagement::EngagementEvent;
use sealpost_domain::message::{BounceKind, EnhancedStatus, OutcomeClass};

use crate::support::{BounceWorld, BouncingPostfix};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_took_and_could_not_deliver_comes_back_as_a_bounce() {
    let postfix = BouncingPostfix::reserve();
    let port = postfix.port();
    let configure = move |config: &mut Config| config.routes.push(RouteConfig::to("late.test", "127.0.0.1", port));
    let world = BounceWorld::with(Arc::new(|store| store), configure).await;
    let refusing = world
        .sealpost
        .config
        .routes
        .iter()
        .find(|route| route.domain == "reject.test");
    postfix.start(refusing.unwrap().port, world.door().port());
    let id = world.next_send("ann@late.test").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    world.sealpost.until(&id, "MessageDelivered").await;

    let EngagementEvent::BounceReceived(bounce) = world.until_late(&id).await else {
        panic!("no bounce");
    };
    assert_eq!(
        (bounce.kind, bounce.judged.class),
        (BounceKind::Hard, OutcomeClass::RecipientUnknown)
    );
    assert_eq!(
        (bounce.reply.code, bounce.reply.enhanced),
        (550, Some(EnhancedStatus(5, 1, 1)))
    );
    assert!(matches!(bounce.reply.text, Personal::Sealed(_)), "it quotes an address");
    assert_eq!(bounce.reporting_mta.as_deref(), Some("late.postfix.test"));
    // It came over TLS, and its 250 is in Postfix' own log.
    postfix
        .logged("Untrusted TLS connection established to 127.0.0.1")
        .await;
    postfix.logged("status=sent (250 2.0.0 Taken)").await;

    let shown = world.shown(&id).await;
    assert_eq!(
        (&shown["state"], &shown["reason"]),
        (&"bounced_late".into(), &"hard".into()),
        "{shown}"
    );
    assert!(
        shown["late_reply"]["text"].as_str().unwrap().contains("no such user"),
        "{shown}"
    );
    let last = shown["timeline"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["event"], &last["class"]),
        (&"BounceReceived".into(), &"recipient_unknown".into()),
        "{shown}"
    );
    let info = world.info(&id).await;
    assert_eq!(
        (&info["state"], &info["bounce_description"]),
        (&"bounced".into(), &"bad_mailbox".into()),
        "{info}"
    );
    let next = world.next_send("ann@late.test").await;
    assert_eq!(
        (&next["status"], &next["reason"]),
        (&"rejected".into(), &"hard_bounce".into()),
        "{next}"
    );
    world.sealpost.stop().await;
}
