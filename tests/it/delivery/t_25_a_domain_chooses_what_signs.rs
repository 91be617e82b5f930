//! A domain's mail bears one signature for each key that its owner chose, and none where nothing signs.

use std::sync::Arc;

use sealpost::delivery::DkimUse;
use sealpost::smtp::server::Personality;
use sealpost_domain::address::DomainName;
use sealpost_domain::sending_domain::{DkimSigning, SendingDomainCommand};

use crate::support::{Inbox, Rig, RigOptions};

async fn rig(dkim: DkimUse) -> (Rig, Arc<Inbox>) {
    let inbox = Arc::new(Inbox::default());
    let options = RigOptions {
        configure: Box::new(move |config| config.delivery.dkim = dkim),
        ..RigOptions::default()
    };
    let receivers = vec![("plain.test", Personality::plain("plain.test"), inbox.clone())];
    (Rig::with(receivers, options).await, inbox)
}

/// The `a=` of each signature of the n-th mail in the inbox, in the order of the mail.
async fn algorithms(rig: &Rig, inbox: &Inbox, n: usize) -> Vec<String> {
    rig.send(&["ann@plain.test"]).await.unwrap();
    let mail = inbox.wait_for(n).await;
    let text = String::from_utf8(mail[n - 1].content.clone()).unwrap();
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Received: "), "the trace is there whatever signs: {head}");
    let signatures = head.split("DKIM-Signature: v=1; a=").skip(1);
    signatures
        .map(|rest| rest.split(';').next().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_choice_holds_from_the_next_start_on_at_the_latest() {
    let (mut rig, inbox) = rig(DkimUse::Sign).await;
    let domain = DomainName::parse("example.org").unwrap();
    let both = ["rsa-sha256", "ed25519-sha256"];
    assert_eq!(algorithms(&rig, &inbox, 1).await, both, "before any choice");
    for (n, (signing, expected)) in (2..).zip([
        (DkimSigning::Rsa, &both[..1]),
        (DkimSigning::Ed25519, &both[1..]),
        (DkimSigning::None, &[]),
        (DkimSigning::Both, &both),
    ]) {
        let choose = SendingDomainCommand::ChooseSigning { signing };
        rig.change_domain(rig.account, &domain, choose).await;
        rig = rig.restart().await;
        assert_eq!(algorithms(&rig, &inbox, n).await, expected, "{signing:?}");
    }
    rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_installation_that_does_not_sign_asks_no_key() {
    let (rig, inbox) = rig(DkimUse::Off).await;
    assert_eq!(algorithms(&rig, &inbox, 1).await, Vec::<String>::new());
    rig.engine.stop().await;
}
