//! Handshakes that fail, one test for each class: F1 to F6.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::certificates::{Authority, NAME, Shown};
use super::mailroom::{greeted, greeted_with, order, receiver, send, soon, timeouts};
use super::script::{Script, Step};
use crate::smtp::client::{
    ClientHello, GreetFailure, HandshakeFault, SecureFailure, Timeouts, TlsClient, TlsDemand, TlsFailureClass,
    TlsOrder, TransactionOutcome,
};
use crate::smtp::server::{Offer, Personality};

fn client() -> TlsClient {
    TlsClient::new(Authority::new("Test CA").roots())
}

fn up_to_starttls(reply: &'static str) -> Vec<Step> {
    vec![
        Step::Say("220 mx.test\r\n"),
        Step::Hear("EHLO"),
        Step::Say("250-mx.test\r\n250 STARTTLS\r\n"),
        Step::Hear("STARTTLS"),
        Step::Say(reply),
    ]
}

async fn failure_with(steps: Vec<Step>, timeouts: &Timeouts) -> SecureFailure {
    let script = Script::start(steps).await;
    let greeted = greeted_with(script.addr, timeouts).await;
    greeted
        .secure(&client(), &order(TlsDemand::Opportunistic))
        .await
        .unwrap_err()
}

/// What happens when the server goes on like this after its `220`.
async fn after_220(steps: Vec<Step>) -> SecureFailure {
    failure_with(
        up_to_starttls("220 Go\r\n").into_iter().chain(steps).collect(),
        &timeouts(),
    )
    .await
}

fn fault(failure: SecureFailure) -> HandshakeFault {
    assert_eq!(failure.class().code(), "F4");
    match failure {
        SecureFailure::Handshake(failure) => failure.fault,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn f1_not_offered_leaves_the_choice_to_go_on_in_clear() {
    let (running, mailroom) = receiver(Personality::plain("mx.test")).await;
    let failure = greeted(running.addr())
        .await
        .secure(&client(), &order(TlsDemand::Opportunistic))
        .await
        .unwrap_err();
    assert_eq!(failure.class(), TlsFailureClass::NotOffered);
    let SecureFailure::NotOffered(connection) = failure else {
        panic!("{failure:?}")
    };
    let outcome = send(&mut connection.stay_in_clear(), "a@b.test").await;
    assert!(matches!(outcome, TransactionOutcome::Accepted(_)));
    assert_eq!(mailroom.received.lock()[0].tls, None);
}

#[tokio::test]
async fn f1_an_overwritten_keyword_is_shown_as_evidence() {
    let steps = vec![
        Step::Say("220 a\r\n"),
        Step::Hear("EHLO"),
        Step::Say("250-a\r\n250 XXXXXXXA\r\n"),
        Step::Hold,
    ];
    let failure = failure_with(steps, &timeouts()).await;
    assert!(matches!(&failure, SecureFailure::NotOffered(connection)
        if connection.capabilities().masked_keyword() == Some("XXXXXXXA")));
}

#[tokio::test]
async fn f2_a_transient_refusal_leaves_the_connection_usable() {
    let refusing = Personality {
        starttls: Offer::Refuse454,
        ..Personality::plain("mx.test")
    };
    let (running, _) = receiver(refusing).await;
    let failure = greeted(running.addr())
        .await
        .secure(&client(), &order(TlsDemand::Opportunistic))
        .await
        .unwrap_err();
    assert_eq!(failure.class(), TlsFailureClass::RefusedTransiently);
    let SecureFailure::Refused { reply, connection } = failure else {
        panic!("{failure:?}")
    };
    assert_eq!(reply.code(), 454);
    assert!(connection.stay_in_clear().is_usable().await);
}

#[tokio::test]
async fn f3_a_permanent_refusal_is_its_own_class() {
    let steps = up_to_starttls("502 5.5.1 No\r\n")
        .into_iter()
        .chain([Step::Hold])
        .collect();
    assert_eq!(
        failure_with(steps, &timeouts()).await.class(),
        TlsFailureClass::RefusedPermanently
    );
}

#[tokio::test]
async fn f4_garbage_in_place_of_a_handshake() {
    let breaking = Personality {
        starttls: Offer::BreakHandshake,
        ..Personality::plain("mx.test")
    };
    let (running, _) = receiver(breaking).await;
    let failure = greeted(running.addr())
        .await
        .secure(&client(), &order(TlsDemand::Opportunistic))
        .await
        .unwrap_err();
    assert_eq!(fault(failure), HandshakeFault::Garbage);
}

#[tokio::test]
async fn f4_an_end_in_place_of_a_handshake() {
    assert_eq!(
        fault(after_220(vec![Step::HearBytes(1_000)]).await),
        HandshakeFault::Closed
    );
    assert_eq!(
        fault(after_220(vec![Step::HearBytes(1_000), Step::Reset]).await),
        HandshakeFault::Closed
    );
}

#[tokio::test]
async fn f4_silence_in_place_of_a_handshake() {
    let limits = Timeouts {
        handshake: soon(),
        ..timeouts()
    };
    let steps = up_to_starttls("220 Go\r\n").into_iter().chain([Step::Hold]).collect();
    let limit_ms = u64::try_from(soon().as_millis()).unwrap();
    assert_eq!(
        fault(failure_with(steps, &limits).await),
        HandshakeFault::TimedOut { limit_ms }
    );
}

#[tokio::test]
async fn f4_an_alert_is_named_and_an_old_version_is_told_apart() {
    let alert = |description: u8| {
        vec![
            Step::HearBytes(1_000),
            Step::SayBytes(vec![21, 3, 1, 0, 2, 2, description]),
            Step::Hold,
        ]
    };
    let named = HandshakeFault::Alert {
        description: "HandshakeFailure".to_owned(),
    };
    assert_eq!(fault(after_220(alert(40)).await), named);
    assert_eq!(fault(after_220(alert(70)).await), HandshakeFault::OldVersion);
}

#[tokio::test]
async fn f4_a_certificate_without_its_key_is_noticed_though_any_certificate_would_do() {
    let impostor = Authority::new("Test CA").impostor();
    assert_eq!(
        fault(after_220(vec![Step::Tls(impostor)]).await),
        HandshakeFault::Certificate
    );
}

/// Size of the first TLS record that the client sends after `220`, with its header.
async fn client_hello_length_bytes(hello: ClientHello) -> usize {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut space = [0; 512];
        for said in ["220 a\r\n", "250-a\r\n250 STARTTLS\r\n"] {
            stream.write_all(said.as_bytes()).await.unwrap();
            assert!(stream.read(&mut space).await.unwrap() > 0);
        }
        stream.write_all(b"220 go\r\n").await.unwrap();
        let mut header = [0; 5];
        stream.read_exact(&mut header).await.unwrap();
        5 + usize::from(u16::from_be_bytes([header[3], header[4]]))
    });
    let order = TlsOrder {
        hello,
        ..order(TlsDemand::Opportunistic)
    };
    greeted(addr).await.secure(&client(), &order).await.unwrap_err();
    server.await.unwrap()
}

#[tokio::test]
async fn only_the_reduced_hello_fits_into_the_smallest_tcp_segment() {
    let reduced = client_hello_length_bytes(ClientHello::Reduced).await;
    let post_quantum = client_hello_length_bytes(ClientHello::PostQuantum).await;
    assert!(reduced < 536, "{reduced}");
    assert!(post_quantum > 1_400, "{post_quantum}");
}

#[tokio::test]
async fn f4_a_connection_lost_before_the_answer_to_starttls() {
    let steps = up_to_starttls("").into_iter().chain([Step::Reset]).collect();
    let failure = failure_with(steps, &timeouts()).await;
    assert!(matches!(failure, SecureFailure::Broken(_)), "{failure:?}");
    assert_eq!(failure.class(), TlsFailureClass::Handshake);
}

#[tokio::test]
async fn f5_clear_text_after_the_220_is_noticed() {
    let steps = up_to_starttls("220 Go\r\n250 injected\r\n")
        .into_iter()
        .chain([Step::Hold])
        .collect();
    let failure = failure_with(steps, &timeouts()).await;
    assert!(
        matches!(failure, SecureFailure::Injected { byte_count: 14 }),
        "{failure:?}"
    );
    assert_eq!(failure.class(), TlsFailureClass::Injected);
}

#[tokio::test]
async fn f6_a_server_that_fails_inside_tls() {
    let authority = Authority::new("Test CA");
    let config = authority.server(Shown::Good);
    let refused = after_220(vec![
        Step::Tls(Arc::clone(&config)),
        Step::Hear("EHLO"),
        Step::Say("421 4.3.0 No\r\n"),
    ])
    .await;
    assert_eq!(refused.class(), TlsFailureClass::AfterHandshake);
    assert!(
        matches!(&refused, SecureFailure::AfterHandshake { failure: GreetFailure::Refused(_), session }
        if session.facts.version == "TLSv1.3" && session.facts.peer_name == NAME)
    );
    let closed = after_220(vec![Step::Tls(config)]).await;
    assert!(
        matches!(
            closed,
            SecureFailure::AfterHandshake {
                failure: GreetFailure::Broken(_),
                ..
            }
        ),
        "{closed:?}"
    );
}

#[tokio::test]
async fn mail_is_never_mentioned_before_a_demanded_certificate_was_checked() {
    let config = Authority::new("Another CA").server(Shown::Good);
    let steps = up_to_starttls("220 Go\r\n")
        .into_iter()
        .chain([Step::Tls(config), Step::Hold])
        .collect();
    let script = Script::start(steps).await;
    let failure = greeted(script.addr)
        .await
        .secure(&client(), &order(TlsDemand::Authenticated))
        .await
        .unwrap_err();
    assert_eq!(failure.class(), TlsFailureClass::Identity);
    drop(failure);
    assert_eq!(script.heard().await, ["EHLO client.test", "STARTTLS"]);
}
