//! A mail host that does not give the TLS that is wanted is passed over for the next one.

use sealpost_domain::message::TlsLevel;
use sealpost_domain::tls_rule::{ClearReason, TlsFailure};

use crate::support::Meddling;
use crate::support::tls_world::{TwoHosts, clear, delivered, failures};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_tls_at_the_first_mail_host_leads_to_tls_at_the_second_in_the_same_attempt() {
    let world = TwoHosts::start(Meddling::BreaksHandshake).await;
    let sent = world.rig.send(&["ann@two.test"]).await.unwrap();
    let (ended, started) = delivered(&world.rig, sent[0].message).await;
    assert_eq!((started.attempt, started.host.as_str()), (1, "mx2.two.test"));
    assert_eq!(failures(&ended), [TlsFailure::Handshake; 2]);
    let record = ended.tls_record.unwrap();
    assert!(record.failures.iter().all(|failed| failed.host == "mx1.two.test"));
    assert_eq!((record.reached, record.clear), (Some(TlsLevel::Encrypted), None));
    assert_eq!(
        (
            world.way.seen().clear_mails(),
            world.first.count(),
            world.second.count()
        ),
        (0, 0, 1)
    );
    world.rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_demands_tls_tries_the_next_mail_host_where_the_first_offers_none() {
    let world = TwoHosts::start(Meddling::StripsStartTls).await;
    let (account, key) = (world.rig.account, world.rig.key);
    let mut call = world.rig.send_call(account, key, &["ann@two.test"]).await;
    call.tls_required = TlsLevel::Encrypted;
    let strict = world.rig.engine.accounts().send(call).await.unwrap()[0].message;
    let (ended, started) = delivered(&world.rig, strict).await;
    assert_eq!((started.attempt, started.host.as_str()), (1, "mx2.two.test"));
    assert_eq!(failures(&ended), [TlsFailure::NotOffered]);
    assert_eq!((world.way.seen().clear_mails(), world.second.count()), (0, 1));
    world.rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_demands_nothing_stays_with_the_preferred_host() {
    let world = TwoHosts::start(Meddling::StripsStartTls).await;
    let sent = world.rig.send(&["ann@two.test"]).await.unwrap();
    let (ended, started) = delivered(&world.rig, sent[0].message).await;
    assert_eq!(started.host, "mx1.two.test");
    assert_eq!(clear(&ended), Some(ClearReason::NotOffered));
    assert_eq!((world.first.count(), world.second.count()), (1, 0));
    world.rig.engine.stop().await;
}
