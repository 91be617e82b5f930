//! Logging in at a smarthost, by STARTTLS and by TLS from the first byte.

use super::certificates::{Authority, Shown};
use super::mailroom::{greeted, name, order, ready, receiver, timeouts};
use super::script::{Script, Step};
use crate::smtp::client::{
    Connection, Credentials, GreetFailure, LoginFailure, Ready, Recorder, Refusal, SecureFailure, Stage, TlsClient,
    TlsDemand,
};
use crate::smtp::server::Personality;

/// A smarthost on a TLS port that offers this and goes on like that.
async fn smarthost(authority: &Authority, offer: &'static str, more: Vec<Step>) -> (Script, Connection<Ready>) {
    let start = [
        Step::Tls(authority.server(Shown::Good)),
        Step::Say("220 hub.test\r\n"),
        Step::Hear("EHLO"),
        Step::Say(offer),
    ];
    let script = Script::start(start.into_iter().chain(more).collect()).await;
    let opened = Connection::open(script.addr, &timeouts(), Recorder::new())
        .await
        .unwrap();
    let client = TlsClient::new(authority.roots());
    let connection = opened
        .greet_in_tls(&name(), &client, &order(TlsDemand::Authenticated))
        .await
        .unwrap();
    (script, connection)
}

fn credentials() -> Credentials {
    Credentials::new("user", "pass")
}

#[tokio::test]
async fn plain_takes_one_command_and_leaves_no_trace() {
    let more = vec![
        Step::Hear("AUTH PLAIN AHVzZXIAcGFzcw=="),
        Step::Say("235 2.7.0 Welcome\r\n"),
        Step::Hold,
    ];
    let (_script, mut connection) = smarthost(&Authority::new("CA"), "250-a\r\n250 AUTH LOGIN PLAIN\r\n", more).await;
    connection.log_in(&credentials()).await.unwrap();
    let lines = connection.recorder().take().lines;
    assert!(lines.iter().any(|line| line.text == "AUTH PLAIN <secret>"));
    assert!(lines.iter().all(|line| !line.text.contains("AHVz")));
    assert!(connection.is_usable().await);
}

#[tokio::test]
async fn login_answers_two_questions_and_leaves_no_trace() {
    let more = vec![
        Step::Hear("AUTH LOGIN"),
        Step::Say("334 VXNlcm5hbWU6\r\n"),
        Step::Hear("dXNlcg=="),
        Step::Say("334 UGFzc3dvcmQ6\r\n"),
        Step::Hear("cGFzcw=="),
        Step::Say("235 2.7.0 Welcome\r\n"),
        Step::Hold,
    ];
    let (_script, mut connection) = smarthost(&Authority::new("CA"), "250-a\r\n250 AUTH=LOGIN\r\n", more).await;
    connection.log_in(&credentials()).await.unwrap();
    let lines = connection.recorder().take().lines;
    assert_eq!(lines.iter().filter(|line| line.text == "<secret>").count(), 2);
    assert!(
        lines
            .iter()
            .all(|line| !line.text.contains("dXNl") && !line.text.contains("cGFz"))
    );
}

#[tokio::test]
async fn a_refused_login_is_told_with_its_reply() {
    let more = vec![Step::Hear("AUTH"), Step::Say("535 5.7.8 No\r\n"), Step::Hold];
    let (_script, mut connection) = smarthost(&Authority::new("CA"), "250-a\r\n250 AUTH PLAIN\r\n", more).await;
    let failure = connection.log_in(&credentials()).await.unwrap_err();
    assert!(matches!(failure, LoginFailure::Refused(Refusal { stage: Stage::Login, reply }) if reply.code() == 535));
}

#[tokio::test]
async fn a_question_too_many_leaves_the_connection_unusable() {
    let more = vec![Step::Hear("AUTH"), Step::Say("334 more\r\n"), Step::Hold];
    let (_script, mut connection) = smarthost(&Authority::new("CA"), "250-a\r\n250 AUTH PLAIN\r\n", more).await;
    assert!(matches!(
        connection.log_in(&credentials()).await,
        Err(LoginFailure::Refused(_))
    ));
    assert!(!connection.is_usable().await);
}

#[tokio::test]
async fn an_unknown_mechanism_is_not_tried() {
    let (_script, mut connection) = smarthost(
        &Authority::new("CA"),
        "250-a\r\n250 AUTH CRAM-MD5\r\n",
        vec![Step::Hold],
    )
    .await;
    assert!(matches!(
        connection.log_in(&credentials()).await,
        Err(LoginFailure::NoMechanism)
    ));
}

#[tokio::test]
async fn a_password_never_goes_out_in_clear() {
    let offer = Step::Say("250-a\r\n250 AUTH PLAIN\r\n");
    let script = Script::start(vec![Step::Say("220 a\r\n"), Step::Hear("EHLO"), offer, Step::Hold]).await;
    let mut connection = ready(script.addr).await;
    assert!(matches!(
        connection.log_in(&credentials()).await,
        Err(LoginFailure::InClear)
    ));
    drop(connection);
    assert_eq!(script.heard().await, ["EHLO client.test"]);
}

#[tokio::test]
async fn our_receiver_offers_no_login() {
    let authority = Authority::new("CA");
    let (running, _) = receiver(Personality::encrypted("mx.test", authority.server(Shown::Good))).await;
    let client = TlsClient::new(authority.roots());
    let mut connection = greeted(running.addr())
        .await
        .secure(&client, &order(TlsDemand::Encrypted))
        .await
        .unwrap();
    assert!(matches!(
        connection.log_in(&credentials()).await,
        Err(LoginFailure::NoMechanism)
    ));
}

#[tokio::test]
async fn a_tls_port_that_refuses_in_its_greeting_is_a_failure_inside_tls() {
    let authority = Authority::new("CA");
    let steps = vec![
        Step::Tls(authority.server(Shown::Good)),
        Step::Say("554 5.3.2 No\r\n"),
        Step::Hear("QUIT"),
    ];
    let script = Script::start(steps).await;
    let opened = Connection::open(script.addr, &timeouts(), Recorder::new())
        .await
        .unwrap();
    let client = TlsClient::new(authority.roots());
    let failure = opened
        .greet_in_tls(&name(), &client, &order(TlsDemand::Encrypted))
        .await
        .unwrap_err();
    assert!(
        matches!(
            failure,
            SecureFailure::AfterHandshake {
                failure: GreetFailure::Refused(_),
                ..
            }
        ),
        "{failure:?}"
    );
}
