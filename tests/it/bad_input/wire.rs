//! Bytes that are no HTTP, and HTTP that breaks off: answered or cut, and the next request is served.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::case::Watched;
use crate::support::spawn_sealpost;

/// A mail that would be taken.
const MAIL: &str = r#"{"from":"shop@example.org","to":["ann@inbox.test"],"text":"t"}"#;

/// Sends bytes, says that no more come, and reads what is answered until the connection ends.
async fn answered(watched: &Watched, bytes: &[u8]) -> String {
    let address = watched.sealpost.server.addresses().plain.unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The other side may end it before everything is written.
    drop(stream.write_all(bytes).await);
    drop(stream.shutdown().await);
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the connection stays open");
    String::from_utf8_lossy(&answer).into_owned()
}

fn post(headers: &str, body: &str) -> Vec<u8> {
    format!("POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{headers}\r\n{body}")
        .into_bytes()
}

/// Requests that are none.
fn broken(key: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bearer = format!("Authorization: Bearer {key}\r\n");
    let long = "x".repeat(200_000);
    let many: String = (0..500).map(|n| format!("X-{n}: 1\r\n")).collect();
    vec![
        ("nothing", vec![]),
        ("garbage", vec![0xff; 4_096]),
        ("a TLS hello on the plain door", vec![0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]),
        ("no version", b"POST /v1/messages\r\n\r\n".to_vec()),
        (
            "a head that never ends",
            format!("GET / HTTP/1.1\r\nX: {long}").into_bytes(),
        ),
        (
            "a head that is too long",
            format!("GET / HTTP/1.1\r\nX: {long}\r\n\r\n").into_bytes(),
        ),
        ("too many headers", format!("GET / HTTP/1.1\r\n{many}\r\n").into_bytes()),
        (
            "a body that breaks off",
            post(&format!("{bearer}Content-Length: 9999\r\n"), MAIL),
        ),
        (
            "a length that is none",
            post(&format!("{bearer}Content-Length: many\r\n"), MAIL),
        ),
        (
            "two lengths",
            post(
                &format!("{bearer}Content-Length: 3\r\nContent-Length: {}\r\n", MAIL.len()),
                MAIL,
            ),
        ),
        (
            "a chunk that breaks off",
            post(&format!("{bearer}Transfer-Encoding: chunked\r\n"), "ffff\r\n{"),
        ),
        (
            "a chunk without a size",
            post(
                &format!("{bearer}Transfer-Encoding: chunked\r\n"),
                "zz\r\n{}\r\n0\r\n\r\n",
            ),
        ),
        (
            "a key with a line break",
            post(
                &format!("Authorization: Bearer {key}\r\n\tx\r\nContent-Length: 2\r\n"),
                "{}",
            ),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_requests_are_answered_with_an_error_or_cut() {
    let mut watched = Watched::new(spawn_sealpost().await).await;
    let key = watched.key.0.key.clone();
    let table = broken(&key);
    for (name, bytes) in table {
        let answer = answered(&watched, &bytes).await;
        let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 4");
        assert!(refused, "{name}: {}", answer.lines().next().unwrap_or_default());
        watched.check_unmoved(name);
    }
    let bearer = format!("Authorization: Bearer {key}\r\n");
    let whole = post(
        &format!("{bearer}Connection: close\r\nContent-Length: {}\r\n", MAIL.len()),
        MAIL,
    );
    assert!(
        answered(&watched, &whole).await.starts_with("HTTP/1.1 202"),
        "the whole one is taken"
    );
    watched.sealpost.inbox.wait_for(1).await;
    watched.check_serving().await;
    watched.sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_say_nothing_keep_nobody_out() {
    let mut watched = Watched::new(spawn_sealpost().await).await;
    let address = watched.sealpost.server.addresses().plain.unwrap();
    let mut silent = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"POST /v1/messages HTTP/1.1\r\nHost:").await.unwrap();
        silent.push(stream);
    }
    watched.check_serving().await;
    drop(silent);
    watched.sealpost.stop().await;
}
