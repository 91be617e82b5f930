//! Debian's Postfix takes our mail with and without TLS, and its log, its mailbox and a foreign verifier bear us out.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use sealpost::actors::{DkimView, Manage, Managed};
use sealpost::compose::{Attachment, Draft};
use sealpost::config::{Config, RouteConfig, RouteTls};
use sealpost::smtp::server::Personality;
use sealpost_domain::ids::MessageId;
use sealpost_domain::message::{CertificateVerdict, DeferralReason, MessageEvent, Started, TlsFacts, TlsLevel};
use sealpost_domain::{Event, Recorded};

use crate::support::{Inbox, Postfix, Rig, RigOptions, Shown, draft};

async fn rig_before(postfix: &Postfix, inbox: &Arc<Inbox>) -> Rig {
    let authority = postfix.authority();
    let mut routes = Vec::new();
    for shown in Shown::ALL {
        for (prefix, tls) in [("", RouteTls::Opportunistic), ("strict-", RouteTls::Authenticated)] {
            let domain = format!("{prefix}{}.test", shown.name());
            routes.push(RouteConfig {
                tls,
                ..RouteConfig::to(&domain, "localhost", postfix.port(shown))
            });
        }
    }
    let configure = move |config: &mut Config| {
        config.delivery.extra_roots = Some(authority.clone());
        config.routes.extend(routes.clone());
    };
    let options = RigOptions {
        configure: Box::new(configure),
        ..RigOptions::default()
    };
    let own = ("own.test", Personality::plain("own.test"), inbox.clone());
    Rig::with(vec![own], options).await
}

/// A letter with something of each kind in it.
fn letter(to: &str) -> Draft {
    Draft {
        subject: "Ihre Bestellung über 12 € – мы благодарны".to_owned(),
        html: Some("<p>Grüße, <b>danke</b>.</p>".to_owned()),
        attachments: vec![Attachment {
            media_type: "application/octet-stream".to_owned(),
            name: "Größe.bin".to_owned(),
            content: (0..=255).cycle().take(5_000).collect(),
        }],
        ..draft(&[to])
    }
}

async fn started(rig: &Rig, message: MessageId) -> Started {
    let stream = rig.stream(message).await;
    let started = stream.into_iter().find_map(|recorded| match recorded.event {
        Event::Message(MessageEvent::DeliveryStarted(started)) => Some(*started),
        _ => None,
    });
    started.unwrap()
}

fn deferral(stream: &[Recorded]) -> (DeferralReason, Option<TlsFacts>) {
    let deferral = stream.iter().find_map(|recorded| match &recorded.event {
        Event::Message(MessageEvent::DeliveryDeferred { reason, attempted, .. }) => {
            Some((*reason, attempted.tls.clone()))
        }
        _ => None,
    });
    deferral.unwrap()
}

/// What is left of a stored message when what Postfix put before it is gone and the line ends are those of the wire.
fn as_sent(stored: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(stored.to_vec()).unwrap();
    let own = text.find("DKIM-Signature:").unwrap();
    assert!(
        text[..own].contains("Received: from "),
        "Postfix puts its trace before ours"
    );
    text[own..].replace('\n', "\r\n").into_bytes()
}

fn sha256(content: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Asks PyPI's `dkimpy` of each signature whether it is by one of these keys; one line each, in the order of the message.
fn verify_with_dkimpy(content: &[u8], keys: &[String]) -> String {
    let python = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.venv/bin/python"));
    assert!(
        python.exists(),
        "dkimpy is not there: run scripts/test, which installs it"
    );
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/delivery/verify_dkim.py");
    let mut child = Command::new(python)
        .args([script, "example.org"])
        .args(keys)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(content).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// The keys as the DNS would show them, in the form that the script reads.
async fn published_keys(rig: &Rig) -> Vec<String> {
    let domains = rig.manage(rig.account, Manage::ListDomains).await.unwrap();
    let Managed::Domains(domains) = domains else {
        panic!("{domains:?}");
    };
    let record = |key: &DkimView| {
        let kind = key.algorithm.as_str().trim_end_matches("-sha256");
        format!("{}={kind}:{}", key.selector, key.public_key)
    };
    domains[0].dkim.iter().map(record).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_log_says_is_what_postfix_saw_stored_and_can_verify() {
    let postfix = Postfix::start();
    let inbox = Arc::new(Inbox::default());
    let rig = rig_before(&postfix, &inbox).await;
    let keys = published_keys(&rig).await;
    let expected = "valid rsa-sha256 sp1\nvalid ed25519-sha256 sp2";
    for shown in Shown::ALL {
        let to = format!("ann@{}.test", shown.name());
        let message = rig.send_draft(&letter(&to)).await.unwrap()[0];
        rig.until(message, "MessageDelivered").await;
        let started = started(&rig, message).await;
        check_tls(&postfix, shown, started.tls.as_ref()).await;
        let stored = postfix.mail(&format!("{}.test", shown.name()), 1).await;
        let content = as_sent(&stored[0]);
        assert_eq!(sha256(&content), started.content_sha256, "{shown:?}");
        assert_eq!(content.len() as u64, started.content_bytes);
        assert_eq!(verify_with_dkimpy(&content, &keys), expected, "{shown:?}");
        let text = String::from_utf8_lossy(&content).replace("Thank you.", "Thank me.");
        assert_eq!(
            verify_with_dkimpy(text.as_bytes(), &keys),
            "invalid rsa-sha256 sp1\ninvalid ed25519-sha256 sp2",
            "a changed message is not signed"
        );
    }
    let sent = rig.send(&["ann@own.test"]).await.unwrap();
    let own = inbox.wait_for(1).await;
    rig.until(sent[0].message, "MessageDelivered").await;
    let started = started(&rig, sent[0].message).await;
    assert_eq!(sha256(&own[0].content), started.content_sha256);
    assert_eq!(verify_with_dkimpy(&own[0].content, &keys), expected);
    rig.engine.stop().await;
}

/// Holds the facts of the start against the line that Postfix wrote about the same session.
async fn check_tls(postfix: &Postfix, shown: Shown, tls: Option<&TlsFacts>) {
    if shown == Shown::Clear {
        postfix.logged(shown, "client=localhost").await;
        assert!(!postfix.log().contains("clear/smtpd: TLS"), "no TLS in clear");
        assert_eq!(tls, None);
        return;
    }
    let tls = tls.unwrap();
    // Such as `… TLS connection established from localhost[127.0.0.1]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384
    // (256/256 bits) key-exchange X25519 server-signature …`.
    let line = postfix.logged(shown, "TLS connection established from").await;
    let words: Vec<&str> = line.split_whitespace().collect();
    let after = |word: &str| {
        let at = words.iter().position(|one| *one == word).unwrap();
        words[at + 1]
    };
    assert!(
        line.contains(&format!(": {} with cipher ", tls.version)),
        "{tls:?}: {line}"
    );
    assert_eq!(after("cipher"), tls.cipher, "{line}");
    assert_eq!(Some(after("key-exchange")), tls.group.as_deref(), "{line}");
    let (verdict, level) = match shown {
        Shown::Valid => (CertificateVerdict::Valid, TlsLevel::Authenticated),
        _ => (CertificateVerdict::SelfSigned, TlsLevel::Encrypted),
    };
    assert_eq!((tls.verdict, tls.level), (verdict, level));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_that_demands_a_certificate_gets_one_or_nothing() {
    let postfix = Postfix::start();
    let rig = rig_before(&postfix, &Arc::new(Inbox::default())).await;
    let sent = rig
        .send(&[
            "ann@strict-valid.test",
            "ann@strict-selfsigned.test",
            "ann@strict-clear.test",
        ])
        .await
        .unwrap();
    rig.until(sent[0].message, "MessageDelivered").await;
    postfix.mail("strict-valid.test", 1).await;
    rig.until(sent[1].message, "DeliveryDeferred").await;
    let (reason, tls) = deferral(&rig.stream(sent[1].message).await);
    assert_eq!(reason, DeferralReason::TlsNotAuthenticated);
    assert_eq!(tls.unwrap().verdict, CertificateVerdict::SelfSigned);
    rig.until(sent[2].message, "DeliveryDeferred").await;
    let (reason, _) = deferral(&rig.stream(sent[2].message).await);
    assert_eq!(reason, DeferralReason::TlsNotOffered);
    rig.engine.stop().await;
    let log = postfix.log();
    for domain in ["strict-selfsigned.test", "strict-clear.test"] {
        assert!(!log.contains(domain), "no envelope is shown to whom it is not for");
    }
}
