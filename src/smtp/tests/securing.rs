//! Handshakes that succeed: what is recorded about good and bad certificates.

use super::certificates::{Authority, NAME, Shown};
use super::mailroom::{greeted, order, receiver, send};
use crate::smtp::client::{
    CertificateVerdict, ClientHello, Connection, Ready, SecureFailure, TlsClient, TlsDemand, TlsFailureClass, TlsOrder,
    TransactionOutcome,
};
use crate::smtp::server::Personality;
use crate::smtp::wire::Extension;

async fn secure(authority: &Authority, shown: Shown, order: &TlsOrder) -> Result<Connection<Ready>, SecureFailure> {
    let (running, _) = receiver(Personality::encrypted(NAME, authority.server(shown))).await;
    let client = TlsClient::new(authority.roots());
    let secured = greeted(running.addr()).await.secure(&client, order).await;
    if let Ok(connection) = &secured {
        assert_eq!(connection.tls().unwrap().facts.peer_name, NAME);
    }
    secured
}

async fn verdict(shown: Shown) -> CertificateVerdict {
    let secured = secure(&Authority::new("Test CA"), shown, &order(TlsDemand::Encrypted))
        .await
        .unwrap();
    secured.tls().unwrap().facts.verdict
}

#[tokio::test]
async fn a_valid_certificate_satisfies_the_strictest_demand() {
    let secured = secure(
        &Authority::new("Test CA"),
        Shown::Good,
        &order(TlsDemand::Authenticated),
    )
    .await
    .unwrap();
    let session = secured.tls().unwrap();
    assert_eq!(session.facts.verdict, CertificateVerdict::Valid);
    assert_eq!(session.facts.version, "TLSv1.3");
    assert_eq!(session.facts.group.as_deref(), Some("X25519MLKEM768"));
    assert_eq!(session.facts.cipher, "TLS_AES_256_GCM_SHA384");
    assert_eq!(session.facts.certificate_sha256.len(), 64);
    assert_eq!(session.facts.spki_sha256.as_ref().map(String::len), Some(64));
    assert_eq!(session.certificates.len(), 1);
}

#[tokio::test]
async fn each_flaw_of_a_certificate_has_its_verdict_and_stops_nobody_who_does_not_mind() {
    assert_eq!(verdict(Shown::Expired).await, CertificateVerdict::Expired);
    assert_eq!(verdict(Shown::NotYetValid).await, CertificateVerdict::NotYetValid);
    assert_eq!(verdict(Shown::WrongName).await, CertificateVerdict::NameMismatch);
    assert_eq!(verdict(Shown::UnknownIssuer).await, CertificateVerdict::UnknownIssuer);
    assert_eq!(verdict(Shown::SelfSigned).await, CertificateVerdict::SelfSigned);
    assert_eq!(
        verdict(Shown::SelfSignedAuthority).await,
        CertificateVerdict::SelfSigned
    );
}

#[tokio::test]
async fn each_flaw_of_a_certificate_fails_who_demands_authentication() {
    for shown in [
        Shown::Expired,
        Shown::WrongName,
        Shown::UnknownIssuer,
        Shown::SelfSignedAuthority,
    ] {
        let authority = Authority::new("Test CA");
        let failure = secure(&authority, shown, &order(TlsDemand::Authenticated))
            .await
            .unwrap_err();
        assert_eq!(failure.class(), TlsFailureClass::Identity, "{shown:?}");
        assert!(matches!(failure, SecureFailure::Certificate(session) if !session.certificates.is_empty()));
    }
}

#[tokio::test]
async fn without_roots_every_issuer_is_unknown() {
    let authority = Authority::new("Test CA");
    let (running, _) = receiver(Personality::encrypted(NAME, authority.server(Shown::Good))).await;
    let client = TlsClient::new(rustls::RootCertStore::empty());
    let secured = greeted(running.addr())
        .await
        .secure(&client, &order(TlsDemand::Opportunistic))
        .await
        .unwrap();
    assert_eq!(secured.tls().unwrap().facts.verdict, CertificateVerdict::UnknownIssuer);
}

#[tokio::test]
async fn the_reduced_hello_offers_no_post_quantum_group() {
    let order = TlsOrder {
        hello: ClientHello::Reduced,
        ..order(TlsDemand::Authenticated)
    };
    let secured = secure(&Authority::new("Test CA"), Shown::Good, &order).await.unwrap();
    assert_eq!(secured.tls().unwrap().facts.group.as_deref(), Some("X25519"));
}

#[tokio::test]
async fn tls_1_2_is_spoken_where_there_is_no_1_3() {
    let authority = Authority::new("Test CA");
    let config = authority.server_speaking(Shown::Good, &[&rustls::version::TLS12]);
    let (running, _) = receiver(Personality::encrypted(NAME, config)).await;
    let client = TlsClient::new(authority.roots());
    let secured = greeted(running.addr())
        .await
        .secure(&client, &order(TlsDemand::Authenticated))
        .await
        .unwrap();
    let facts = &secured.tls().unwrap().facts;
    assert_eq!(facts.version, "TLSv1.2");
    assert_eq!(facts.cipher, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    assert_eq!(facts.group.as_deref(), Some("X25519"));
}

#[tokio::test]
async fn a_final_dot_in_the_name_changes_nothing() {
    let order = TlsOrder {
        peer_name: format!("{NAME}."),
        ..order(TlsDemand::Authenticated)
    };
    secure(&Authority::new("Test CA"), Shown::Good, &order).await.unwrap();
}

#[tokio::test]
async fn an_mx_that_is_no_host_name_is_encrypted_but_never_valid() {
    let authority = Authority::new("Test CA");
    let (running, _) = receiver(Personality::encrypted(NAME, authority.server(Shown::Good))).await;
    let client = TlsClient::new(authority.roots());
    let order = TlsOrder {
        peer_name: "not a host".to_owned(),
        ..order(TlsDemand::Encrypted)
    };
    let secured = greeted(running.addr()).await.secure(&client, &order).await.unwrap();
    assert_eq!(secured.tls().unwrap().facts.verdict, CertificateVerdict::NameMismatch);
}

#[tokio::test]
async fn inside_tls_the_capabilities_are_asked_anew_and_mail_flows() {
    let authority = Authority::new("Test CA");
    let (running, mailroom) = receiver(Personality::encrypted(NAME, authority.server(Shown::Good))).await;
    let greeted = greeted(running.addr()).await;
    assert!(greeted.capabilities().offers(Extension::StartTls));
    let client = TlsClient::new(authority.roots());
    let mut secured = greeted.secure(&client, &order(TlsDemand::Authenticated)).await.unwrap();
    assert!(!secured.capabilities().offers(Extension::StartTls));
    assert!(secured.capabilities().offers(Extension::Pipelining));
    assert!(matches!(
        send(&mut secured, "ann@good.test").await,
        TransactionOutcome::Accepted(_)
    ));
    secured.finish().await;
    assert_eq!(mailroom.received.lock()[0].tls.as_deref(), Some("TLSv1.3"));
}

#[tokio::test]
async fn the_transcript_names_the_session() {
    let secured = secure(&Authority::new("Test CA"), Shown::Expired, &order(TlsDemand::Encrypted))
        .await
        .unwrap();
    let lines = secured.recorder().take().lines;
    let expected = "TLS session: TLSv1.3 TLS_AES_256_GCM_SHA384 X25519MLKEM768, certificate Expired";
    assert!(lines.iter().any(|line| line.text == expected), "{lines:?}");
}
