//! Where TLS fails there is no clear text at first; after five minutes there is, and the message is marked.

use std::time::Duration;

use sealpost::actors::Manage;
use sealpost::config::RouteConfig;
use sealpost_domain::Personal;
use sealpost_domain::api_key::ApiKeyCommand;
use sealpost_domain::message::{DeferralReason, TlsLevel};
use sealpost_domain::tls_rule::{AccountTls, ClearReason, Hello, TlsFailure, TlsNeed};
use serde_json::json;

use crate::support::tls_world::{TlsAuthority, TlsWorld, clear, failures};
use crate::support::{Inbox, Meddling, Middlebox, spawn_sealpost_with, v1_mail};

/// Past the first wait of the schedule, and past the second one.
const WAITS: [Duration; 2] = [Duration::from_secs(70), Duration::from_secs(340)];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_handshake_leads_to_clear_text_after_five_minutes_and_not_before() {
    let world = TlsWorld::start(Meddling::BreaksHandshake).await;
    let message = world.send().await;
    for (n, wait) in [1, 2].into_iter().zip(WAITS) {
        let deferral = world.deferrals(message, n).await.pop().unwrap();
        assert_eq!(
            (deferral.reason, deferral.status().as_str()),
            (DeferralReason::TlsBroken, "4.7.5")
        );
        assert_eq!(deferral.failures(), [TlsFailure::Handshake; 2]);
        let record = deferral.attempted.tls_record.unwrap();
        assert_eq!(
            (record.wanted, record.reached, record.clear),
            (TlsNeed::Opportunistic, None, None)
        );
        let hellos: Vec<Hello> = record.failures.iter().map(|failed| failed.hello).collect();
        assert_eq!(hellos, [Hello::Full, Hello::Reduced]);
        assert_eq!(
            world.way.seen().clear_mails(),
            0,
            "nothing of it was said in clear text"
        );
        world.rig.clock.advance(wait);
    }
    let (ended, started) = world.delivered(message).await;
    assert_eq!(clear(&ended), Some(ClearReason::HandshakeFailedAged));
    assert_eq!(
        started.clear,
        Some(ClearReason::HandshakeFailedAged),
        "on record before DATA"
    );
    assert_eq!(ended.tls_record.as_ref().unwrap().reached, Some(TlsLevel::Plain));
    assert_eq!(
        failures(&ended),
        [TlsFailure::Handshake; 2],
        "TLS was tried first, again"
    );
    assert_eq!((world.way.seen().clear_mails(), world.inbox.count()), (1, 1));
    // Its session stays open, and is none for a message that has not waited.
    let young = world.send().await;
    let deferral = world.deferrals(young, 1).await.pop().unwrap();
    assert_eq!(deferral.reason, DeferralReason::TlsBroken);
    assert_eq!((world.way.seen().clear_mails(), world.inbox.count()), (1, 1));
    world.rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_that_was_held_back_has_not_aged_by_that() {
    let world = TlsWorld::start(Meddling::BreaksHandshake).await;
    let reason = Personal::Known("leaked?".to_owned());
    let (account, key) = (world.rig.account, world.rig.key);
    let freeze = Manage::Key(key, ApiKeyCommand::FreezeKey { reason });
    world.rig.manage(account, freeze).await.unwrap();
    let message = world.send().await;
    world.rig.clock.advance(Duration::from_secs(3_600));
    let thaw = Manage::Key(key, ApiKeyCommand::ThawKey);
    world.rig.manage(account, thaw).await.unwrap();
    let deferral = world.deferrals(message, 1).await.pop().unwrap();
    assert_eq!(deferral.reason, DeferralReason::TlsBroken, "its first try");
    assert_eq!(world.way.seen().clear_mails(), 0);
    world.rig.clock.advance(WAITS[0]);
    let (ended, _) = world.delivered(message).await;
    assert_eq!(clear(&ended), Some(ClearReason::HandshakeFailedAged));
    world.rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_starttls_waits_as_long_unless_the_account_is_in_a_hurry() {
    for (code, failure) in [
        (454, TlsFailure::RefusedTransiently),
        (554, TlsFailure::RefusedPermanently),
    ] {
        let world = TlsWorld::start(Meddling::RefusesStartTls(code)).await;
        let message = world.send().await;
        for (n, wait) in [1, 2].into_iter().zip(WAITS) {
            let deferral = world.deferrals(message, n).await.pop().unwrap();
            assert_eq!(
                (deferral.reason, deferral.status().as_str()),
                (DeferralReason::TlsRefused, "4.7.4")
            );
            assert_eq!(deferral.failures(), [failure], "no other ClientHello mends it");
            assert_eq!(world.way.seen().clear_mails(), 0);
            world.rig.clock.advance(wait);
        }
        let (ended, _) = world.delivered(message).await;
        assert_eq!(clear(&ended), Some(ClearReason::StarttlsRefusedAged));
        world.choose(AccountTls::Immediate).await;
        let (ended, _) = world.delivered(world.send().await).await;
        let record = ended.tls_record.unwrap();
        assert_eq!(record.wanted, TlsNeed::Immediate);
        assert!(
            matches!(
                record.clear,
                Some(ClearReason::StarttlsRefused | ClearReason::StarttlsRefusedAged)
            ),
            "{record:?}"
        );
        world.rig.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_in_a_hurry_waits_for_a_broken_handshake_all_the_same() {
    let world = TlsWorld::start(Meddling::RefusesStartTls(454)).await;
    world.choose(AccountTls::Immediate).await;
    let (ended, _) = world.delivered(world.send().await).await;
    assert_eq!(clear(&ended), Some(ClearReason::StarttlsRefused), "at once");
    world.rig.engine.stop().await;
    let world = TlsWorld::start(Meddling::BreaksHandshake).await;
    world.choose(AccountTls::Immediate).await;
    let message = world.send().await;
    let deferral = world.deferrals(message, 1).await.pop().unwrap();
    assert_eq!(deferral.reason, DeferralReason::TlsBroken);
    assert_eq!(world.way.seen().clear_mails(), 0);
    world.rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_without_tls_gets_its_mail_at_once_and_the_reason_is_told() {
    let world = TlsWorld::start(Meddling::StripsStartTls).await;
    for tls in [None, Some(AccountTls::Immediate)] {
        if let Some(tls) = tls {
            world.choose(tls).await;
        }
        let (ended, started) = world.delivered(world.send().await).await;
        assert_eq!(clear(&ended), Some(ClearReason::NotOffered));
        assert_eq!(started.clear, Some(ClearReason::NotOffered));
    }
    world.rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_timeline_marks_clear_text_and_says_why() {
    let authority = TlsAuthority::default();
    let anywhere = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let inbox = std::sync::Arc::new(Inbox::default());
    let personality = sealpost::smtp::server::Personality::encrypted("mail.test", authority.valid("127.0.0.1"));
    let host = sealpost::smtp::server::Receiver::start(anywhere, personality, inbox.clone());
    let host = host.await.unwrap();
    let way = Middlebox::start(anywhere, host.addr(), Meddling::BreaksHandshake).await;
    let route = RouteConfig::to("mail.test", "127.0.0.1", way.port());
    let sealpost = spawn_sealpost_with(|config| config.routes.push(route)).await;
    let key = sealpost.sending_key().await;
    let sent = key.send_v1(&v1_mail(&["ann@mail.test"])).await;
    let id = sent[0]["id"].as_str().unwrap();
    let path = format!("/v1/messages/{id}");
    for (n, wait) in [1, 2].into_iter().zip(WAITS) {
        let mut deferrals = 0;
        while deferrals < n {
            let history = sealpost.until(id, "DeliveryDeferred").await;
            deferrals = history.iter().filter(|event| *event == "DeliveryDeferred").count();
            tokio::task::yield_now().await;
        }
        sealpost.clock.advance(wait);
    }
    sealpost.until(id, "MessageDelivered").await;
    let shown = key.0.get(&path).await.ok();
    assert_eq!(shown["in_clear"], "handshake_failed_aged", "{shown}");
    let timeline = shown["timeline"].as_array().unwrap();
    let of = |event: &str| timeline.iter().find(|line| line["event"] == event).unwrap();
    let deferred = of("DeliveryDeferred");
    assert_eq!(
        (&deferred["reason"], &deferred["status"]),
        (&json!("tls_broken"), &json!("4.7.5"))
    );
    assert_eq!(deferred["in_clear"], json!(null));
    let failure = |hello: &str| json!({ "host": "127.0.0.1", "class": "F4", "failure": "handshake", "hello": hello });
    assert_eq!(
        deferred["tls_record"],
        json!({ "wanted": "opportunistic", "reached": null, "failures": [failure("full"), failure("reduced")] })
    );
    for event in ["DeliveryStarted", "MessageDelivered"] {
        assert_eq!(of(event)["in_clear"], "handshake_failed_aged", "{event}");
    }
    assert_eq!(of("MessageDelivered")["tls_record"]["reached"], "plain");
    assert_eq!(
        shown["attempts"].as_array().unwrap().last().unwrap()["in_clear"],
        "handshake_failed_aged"
    );
    sealpost.stop().await;
}
