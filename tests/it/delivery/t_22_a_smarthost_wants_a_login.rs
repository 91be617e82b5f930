//! All mail goes through a smarthost that wants a login: another Sealpost, over STARTTLS and over implicit TLS.

use std::net::{Ipv4Addr, SocketAddr};

use sealpost::config::{Config, RouteConfig, RouteStart, RouteTls};
use sealpost_domain::Event;
use sealpost_domain::message::{DeferralReason, MessageEvent};

use crate::support::{Rig, RigOptions, Sealpost, spawn_sealpost_with};

async fn smarthost() -> Sealpost {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    spawn_sealpost_with(|config| {
        config.submission.starttls = vec![free];
        config.submission.implicit_tls = vec![free];
    })
    .await
}

/// A rig whose mail goes to the smarthost with this password.
async fn rig_before(smarthost: &Sealpost, start: RouteStart, password: &str) -> (Rig, tempfile::NamedTempFile) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{password}\n")).unwrap();
    let addresses = smarthost.server.addresses();
    let address = match start {
        RouteStart::Starttls => addresses.submission,
        RouteStart::Implicit => addresses.submission_tls,
    };
    let route = RouteConfig {
        tls: RouteTls::Authenticated,
        start,
        user: Some("sealpost".to_owned()),
        password_file: Some(file.path().to_owned()),
        ..RouteConfig::to("*", "localhost", address.unwrap().port())
    };
    let authority = smarthost.server.authority();
    let configure = move |config: &mut Config| {
        config.routes.push(route.clone());
        config.delivery.extra_roots = Some(authority.clone());
    };
    let options = RigOptions {
        configure: Box::new(configure),
        ..RigOptions::default()
    };
    (Rig::with(Vec::new(), options).await, file)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_goes_through_a_smarthost_that_knows_us() {
    let smarthost = smarthost().await;
    let key = smarthost.sending_key().await.0.key;
    for (start, count) in [(RouteStart::Starttls, 1), (RouteStart::Implicit, 2)] {
        let (rig, _password) = rig_before(&smarthost, start, &key).await;
        let sent = rig.send(&["ann@inbox.test"]).await.unwrap();
        rig.until(sent[0].message, "MessageDelivered").await;
        assert_eq!(smarthost.inbox.wait_for(count).await.len(), count, "{start:?}");
        rig.engine.stop().await;
    }
    smarthost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_waits_while_the_smarthost_does_not_let_us_in() {
    let smarthost = smarthost().await;
    let (rig, _password) = rig_before(&smarthost, RouteStart::Implicit, "wrong").await;
    let sent = rig.send(&["ann@inbox.test"]).await.unwrap();
    rig.until(sent[0].message, "DeliveryDeferred").await;
    let last = rig.stream(sent[0].message).await.pop().unwrap();
    let Event::Message(MessageEvent::DeliveryDeferred { reason, reply, .. }) = last.event else {
        panic!("{:?}", last.event);
    };
    assert_eq!((reason, reply.unwrap().code), (DeferralReason::LoginFailed, 535));
    assert_eq!(smarthost.inbox.count(), 0);
    rig.engine.stop().await;
    smarthost.stop().await;
}
