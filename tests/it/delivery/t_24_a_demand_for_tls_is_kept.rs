//! Whoever demands TLS gets it or nothing: an account, a message, and on a kept connection too.

use std::time::Duration;

use sealpost::actors::Verdict;
use sealpost::smtp::server::Personality;
use sealpost_domain::message::{BounceKind, DeferralReason, MessageEvent, OutcomeClass, TlsLevel};
use sealpost_domain::tls_rule::{AccountTls, ClearReason, TlsFailure, TlsNeed};
use sealpost_domain::{Event, StreamId};

use crate::support::Meddling;
use crate::support::tls_world::{TlsWorld, clear, self_signed};

/// Past the first wait of the schedule.
const FIRST_WAIT: Duration = Duration::from_secs(70);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn always_is_never_in_clear_and_the_end_says_that_tls_was_not_to_be_had() {
    for meddling in [Meddling::BreaksHandshake, Meddling::StripsStartTls] {
        let world = TlsWorld::start(meddling).await;
        world.choose(AccountTls::Always).await;
        let message = world.send().await;
        let id = StreamId::message(message);
        let bounced = |events: &[sealpost_domain::Recorded]| {
            let mut mine = events.iter().filter(|recorded| recorded.stream == id);
            mine.any(|recorded| recorded.event.event_type() == "MessageBounced")
        };
        world
            .rig
            .drive_until_log("a bounce", Duration::from_secs(7_300), bounced)
            .await;
        let Event::Message(MessageEvent::MessageBounced { kind, judged, .. }) =
            world.rig.stream(message).await.pop().unwrap().event
        else {
            panic!("no bounce at the end")
        };
        let judged = judged.unwrap();
        assert_eq!(
            (kind, judged.class),
            (BounceKind::Expired, OutcomeClass::TlsRequiredUnavailable)
        );
        assert!(world.deferrals(message, 2).await.len() >= 2);
        let seen = world.way.seen();
        assert!(
            seen.connections > 2 && seen.clear_mails() == 0,
            "{meddling:?}: {seen:?}"
        );
        assert_eq!(world.inbox.count(), 0);
        let again = world.rig.send(&["ann@mail.test"]).await.unwrap();
        assert_eq!(
            again[0].answer.verdict,
            Verdict::Accepted,
            "the address is not suppressed"
        );
        world.rig.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stripped_starttls_is_4_7_4_and_nothing_of_the_mail_is_said() {
    let world = TlsWorld::start(Meddling::StripsStartTls).await;
    world.choose(AccountTls::Always).await;
    let message = world.send().await;
    let deferral = world.deferrals(message, 1).await.pop().unwrap();
    assert_eq!(
        (deferral.reason, deferral.status().as_str()),
        (DeferralReason::TlsNotOffered, "4.7.4")
    );
    assert_eq!(deferral.failures(), [TlsFailure::NotOffered]);
    assert_eq!(deferral.attempted.tls_record.unwrap().wanted, TlsNeed::Encrypted);
    let lines = world.way.seen().lines;
    assert!(
        lines.iter().all(|line| line.starts_with("EHLO") || line == "QUIT"),
        "{lines:?}"
    );
    // The man in the middle is gone: what waited goes in TLS.
    world.way.change(Meddling::None);
    world.rig.clock.advance(FIRST_WAIT);
    let (ended, _) = world.delivered(message).await;
    assert_eq!(ended.tls_record.unwrap().reached, Some(TlsLevel::Authenticated));
    world.rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn authenticated_takes_a_valid_name_or_nothing_and_always_any_certificate() {
    let host = |_: &_| Personality::encrypted("mail.test", self_signed("127.0.0.1"));
    let world = TlsWorld::with(Meddling::None, host).await;
    world.choose(AccountTls::Authenticated).await;
    let message = world.send().await;
    let deferral = world.deferrals(message, 1).await.pop().unwrap();
    assert_eq!(
        (deferral.reason, deferral.status().as_str()),
        (DeferralReason::TlsNotAuthenticated, "4.7.5")
    );
    assert_eq!(deferral.failures(), [TlsFailure::Identity]);
    assert_eq!((world.way.seen().clear_mails(), world.inbox.count()), (0, 0));
    // Effective at the next attempt, without a restart.
    world.choose(AccountTls::Always).await;
    world.rig.clock.advance(FIRST_WAIT);
    let (ended, _) = world.delivered(message).await;
    let record = ended.tls_record.unwrap();
    assert_eq!(
        (record.wanted, record.reached),
        (TlsNeed::Encrypted, Some(TlsLevel::Encrypted))
    );
    world.rig.engine.stop().await;
    let world = TlsWorld::start(Meddling::None).await;
    world.choose(AccountTls::Authenticated).await;
    let (ended, _) = world.delivered(world.send().await).await;
    assert_eq!(ended.tls_record.unwrap().reached, Some(TlsLevel::Authenticated));
    world.rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_choice_holds_at_the_next_attempt_and_outlives_a_restart() {
    let world = TlsWorld::start(Meddling::StripsStartTls).await;
    world.choose(AccountTls::Always).await;
    let waits = world.send().await;
    world.deferrals(waits, 1).await;
    assert_eq!(world.way.seen().clear_mails(), 0);
    world.choose(AccountTls::Default).await;
    world.rig.clock.advance(FIRST_WAIT);
    let (ended, _) = world.delivered(waits).await;
    assert_eq!(clear(&ended), Some(ClearReason::NotOffered));
    world.choose(AccountTls::Always).await;
    let sent = world.way.seen().clear_mails();
    let world = world.restart().await;
    let message = world.send().await;
    let deferral = world.deferrals(message, 1).await.pop().unwrap();
    assert_eq!(deferral.reason, DeferralReason::TlsNotOffered);
    assert_eq!(world.way.seen().clear_mails(), sent);
    world.rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_connection_carries_no_message_that_demands_more() {
    let world = TlsWorld::start(Meddling::StripsStartTls).await;
    world.delivered(world.send().await).await;
    // A session in clear text is open now.
    let strict = world.send_changed(|call| call.tls_required = TlsLevel::Encrypted).await;
    let deferral = world.deferrals(strict, 1).await.pop().unwrap();
    assert_eq!(deferral.reason, DeferralReason::TlsNotOffered);
    assert_eq!(
        deferral.failures(),
        [TlsFailure::NotOffered],
        "it looked for a connection of its own"
    );
    assert_eq!((world.way.seen().clear_mails(), world.inbox.count()), (1, 1));
    world.delivered(world.send().await).await;
    assert_eq!(world.inbox.count(), 2, "others go on");
    world.rig.engine.stop().await;
    let host = |_: &_| Personality::encrypted("mail.test", self_signed("127.0.0.1"));
    let world = TlsWorld::with(Meddling::None, host).await;
    world.delivered(world.send().await).await;
    let strict = world
        .send_changed(|call| call.tls_required = TlsLevel::Authenticated)
        .await;
    let deferral = world.deferrals(strict, 1).await.pop().unwrap();
    assert_eq!(deferral.reason, DeferralReason::TlsNotAuthenticated);
    assert_eq!(world.inbox.count(), 1);
    world.rig.engine.stop().await;
}
