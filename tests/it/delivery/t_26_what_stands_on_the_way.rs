//! Boxes on the way: one that drops a large ClientHello costs nothing but a connection, and one that injects is noticed.

use sealpost_domain::message::{DeferralReason, Started, TlsLevel};
use sealpost_domain::tls_rule::{Hello, TlsFailure, TlsRecord};

use crate::support::Meddling;
use crate::support::tls_world::{TlsWorld, TwoHosts, delivered};

/// Sends to the domain with two mail hosts, the preferred one behind the box; what its start and its end say.
async fn delivered_past(world: &TwoHosts) -> (TlsRecord, Started) {
    let sent = world.rig.send(&["ann@two.test"]).await.unwrap();
    let (ended, started) = delivered(&world.rig, sent[0].message).await;
    (ended.tls_record.unwrap(), started)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_clienthello_is_post_quantum_and_longer_than_a_segment() {
    let world = TwoHosts::start(Meddling::None).await;
    let (record, started) = delivered_past(&world).await;
    assert_eq!(started.tls.unwrap().group.as_deref(), Some("X25519MLKEM768"));
    assert!(record.failures.is_empty());
    let hello_bytes = world.way.seen().hello_bytes;
    assert!(matches!(hello_bytes[..], [first] if first > 1_460), "{hello_bytes:?}");
    world.rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_that_drops_clienthellos_over_1460_bytes_is_passed_in_tls() {
    let world = TwoHosts::start(Meddling::DropsLargeHello).await;
    let (record, started) = delivered_past(&world).await;
    assert_eq!((record.reached, record.clear), (Some(TlsLevel::Encrypted), None));
    assert_eq!(record.failures.len(), 1);
    assert_eq!(
        (record.failures[0].failure, record.failures[0].hello),
        (TlsFailure::Handshake, Hello::Full)
    );
    assert_eq!(
        (started.attempt, started.host.as_str()),
        (1, "mx1.two.test"),
        "the same host, in the same attempt"
    );
    assert_eq!(started.tls.unwrap().group.as_deref(), Some("X25519"));
    let seen = world.way.seen();
    assert!(
        matches!(seen.hello_bytes[..], [large, small] if large > 1_460 && small < 600),
        "{:?}",
        seen.hello_bytes
    );
    assert_eq!((seen.clear_mails(), world.first.count()), (0, 1));
    world.rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_injected_behind_the_220_or_cut_off_behind_the_handshake_is_failed_tls() {
    for (meddling, failure) in [
        (Meddling::InjectsBehind220, TlsFailure::Injected),
        (Meddling::ClosesAfterHandshake, TlsFailure::AfterHandshake),
    ] {
        let world = TlsWorld::start(meddling).await;
        let message = world.send().await;
        let deferral = world.deferrals(message, 1).await.pop().unwrap();
        assert_eq!(
            (deferral.reason, deferral.status().as_str()),
            (DeferralReason::TlsBroken, "4.7.5"),
            "{meddling:?}"
        );
        assert_eq!(deferral.failures(), [failure; 2], "{meddling:?}");
        assert_eq!((world.way.seen().clear_mails(), world.inbox.count()), (0, 0));
        world.rig.engine.stop().await;
    }
}
