//! Talks to the receiver by hand, to see that it is strict where strictness keeps messages apart.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::certificates::{Authority, NAME, Shown};
use super::mailroom::{Mailroom, receiver};
use crate::smtp::server::{Personality, Running};

/// Sends all of it in one write, reads until the receiver closes.
async fn answers_to(addr: SocketAddr, said: &[u8]) -> Vec<String> {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(said).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.unwrap();
    heard
        .lines()
        .filter(|line| line.as_bytes().get(3) == Some(&b' '))
        .map(|line| line[..3].to_owned())
        .collect()
}

async fn plain() -> (Running, std::sync::Arc<Mailroom>) {
    receiver(Personality::plain("mx.test")).await
}

#[tokio::test]
async fn pipelined_messages_are_kept_apart() {
    let (running, mailroom) = plain().await;
    let one = b"MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\n..x\r\n.\r\n";
    let said = [
        b"EHLO c\r\n".as_slice(),
        one,
        b"MAIL FROM:<>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n.\r\nQUIT\r\n",
    ]
    .concat();
    let codes = answers_to(running.addr(), &said).await;
    assert_eq!(
        codes,
        [
            "220", "250", "250", "250", "354", "250", "250", "250", "354", "250", "221"
        ]
    );
    let received = mailroom.received.lock();
    assert_eq!(received[0].content, b".x\r\n");
    assert_eq!(received[1].content, b"");
}

#[tokio::test]
async fn smuggled_messages_are_refused_whole() {
    let (running, mailroom) = plain().await;
    for end in ["\n.\n", "\n.\r\n", "\r\n.\n", "\r\n.\r", "\r.\r\n"] {
        let smuggled = format!(
            "EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\none{end}MAIL FROM:<evil@b.test>\r\nRCPT TO:<c@b.test>\r\nDATA\r\ntwo\r\n.\r\nQUIT\r\n"
        );
        let codes = answers_to(running.addr(), smuggled.as_bytes()).await;
        assert_eq!(codes, ["220", "250", "250", "250", "354", "554", "221"], "{end:?}");
    }
    assert!(mailroom.received.lock().is_empty());
}

#[tokio::test]
async fn commands_have_an_order() {
    let (running, _) = plain().await;
    let said = b"MAIL FROM:<>\r\nEHLO c\r\nRCPT TO:<a@b.test>\r\nDATA\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\nDATA\r\nRSET\r\nDATA\r\nNOOP\r\nSTARTTLS\r\nQUIT\r\n";
    let codes = answers_to(running.addr(), said).await;
    assert_eq!(
        codes,
        [
            "220", "503", "250", "503", "503", "250", "503", "554", "250", "503", "250", "503", "221"
        ]
    );
}

#[tokio::test]
async fn what_is_not_understood_has_its_code() {
    let (running, _) = plain().await;
    let said = b"EHLO c\r\nFOO\r\nMAIL FROM:a\r\nMAIL FROM:<a@b.test> X=1\r\nMAIL FROM:<a@b.test> SIZE=26214401\r\nMAIL FROM:<a@b.test> REQUIRETLS\r\nMAIL FROM:<\xc3\xb6@b.test>\r\nQUIT\r\n";
    let codes = answers_to(running.addr(), said).await;
    assert_eq!(codes, ["220", "250", "500", "501", "555", "552", "555", "553", "221"]);
}

#[tokio::test]
async fn bare_lf_and_endless_lines_end_the_dialogue() {
    let (running, _) = plain().await;
    assert_eq!(answers_to(running.addr(), b"EHLO c\nNOOP\r\n").await, ["220", "500"]);
    assert_eq!(answers_to(running.addr(), &[b'a'; 2_048]).await, ["220", "500"]);
}

#[tokio::test]
async fn faults_are_counted() {
    let (running, _) = plain().await;
    let codes = answers_to(running.addr(), &b"FOO\r\n".repeat(20)).await;
    assert_eq!((codes.len(), codes.last().unwrap().as_str()), (22, "421"));
}

#[tokio::test]
async fn the_hundred_and_first_recipient_is_put_off() {
    let (running, _) = plain().await;
    let said = format!(
        "EHLO c\r\nMAIL FROM:<>\r\n{}QUIT\r\n",
        "RCPT TO:<a@b.test>\r\n".repeat(101)
    );
    let codes = answers_to(running.addr(), said.as_bytes()).await;
    assert_eq!(codes.iter().filter(|code| *code == "452").count(), 1);
}

#[tokio::test]
async fn commands_that_came_with_starttls_are_never_obeyed() {
    let authority = Authority::new("Test CA");
    let (running, mailroom) = receiver(Personality::encrypted(NAME, authority.server(Shown::Good))).await;
    let said = b"EHLO c\r\nSTARTTLS\r\nEHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\nx\r\n.\r\n";
    assert_eq!(answers_to(running.addr(), said).await, ["220", "250", "220"]);
    assert!(mailroom.received.lock().is_empty());
}

#[tokio::test]
async fn stopping_ends_the_dialogues() {
    let (running, _) = plain().await;
    let mut stream = TcpStream::connect(running.addr()).await.unwrap();
    let mut space = [0; 200];
    assert!(stream.read(&mut space).await.unwrap() > 0);
    running.stop().await;
    assert_eq!(stream.read(&mut space).await.unwrap_or(0), 0);
}
