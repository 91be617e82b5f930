//! Debian's Postfix hands its mail to us as a relay client, over STARTTLS and over implicit TLS.

use serde_json::json;

use super::world::spawn;
use crate::support::{RelayPostfix, Sealpost, Wrapping};

const MAIL: &str =
    "From: shop@example.org\r\nTo: ann@inbox.test\r\nSubject: Over two servers\r\n\r\nHello.\r\n.\r\n..\r\n";

fn relay(sealpost: &Sealpost, key: &str, wrapping: Wrapping) -> RelayPostfix {
    let addresses = sealpost.server.addresses();
    let address = match wrapping {
        Wrapping::StartTls => addresses.submission,
        Wrapping::Implicit => addresses.submission_tls,
    };
    RelayPostfix::start(address.unwrap().port(), key, &sealpost.server.authority(), wrapping)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postfix_relays_over_starttls_and_over_implicit_tls() {
    let sealpost = spawn().await;
    let key = sealpost.sending_key().await.0.key;
    for (wrapping, count) in [(Wrapping::StartTls, 1), (Wrapping::Implicit, 2)] {
        let postfix = relay(&sealpost, &key, wrapping);
        postfix.send("shop@example.org", "ann@inbox.test", MAIL).await;
        let line = postfix.logged("status=sent (250 2.0.0 Taken as ").await;
        let id: String = line.split("Taken as ").nth(1).unwrap().chars().take(32).collect();
        assert!(
            postfix
                .log()
                .contains("Verified TLS connection established to localhost"),
            "{}",
            postfix.log()
        );
        sealpost.until(&id, "MessageDelivered").await;
        let mail = sealpost.inbox.wait_for(count).await.pop().unwrap();
        let text = String::from_utf8(mail.content).unwrap();
        assert!(
            text.contains("Subject: Over two servers\r\n") && text.ends_with("Hello.\r\n.\r\n..\r\n"),
            "{text}"
        );
        assert!(
            text.contains("by relay.postfix.test (Postfix)") && text.contains(" with ESMTPSA "),
            "{text}"
        );
    }
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postfix_with_a_wrong_or_revoked_key_keeps_its_mail() {
    let sealpost = spawn().await;
    let revoked = sealpost.sending_key().await.0;
    let act = json!({ "account": sealpost.account, "reason": "leaked" });
    sealpost
        .control()
        .post(&format!("/keys/{}/revoke", revoked.id), &act)
        .await
        .ok();
    for (key, wrapping) in [
        ("wrong", Wrapping::Implicit),
        (revoked.key.as_str(), Wrapping::StartTls),
    ] {
        let postfix = relay(&sealpost, key, wrapping);
        postfix.send("shop@example.org", "ann@inbox.test", MAIL).await;
        let line = postfix.logged("status=deferred").await;
        assert!(line.contains("535 5.7.8 The API key is not valid"), "{line}");
    }
    assert_eq!(sealpost.inbox.count(), 0);
    sealpost.stop().await;
}
