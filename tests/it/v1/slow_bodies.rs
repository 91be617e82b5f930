//! Requests whose body is on its way for long: the key must hold to the end, and so must the pace.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Sealpost, spawn_sealpost, v1_mail};

/// A body may take this long beside what its bytes take at the least pace; then it is given up.
const GRACE: Duration = Duration::from_secs(30);
/// Longer than any of these requests may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Sends the head of a request.
async fn begin(sealpost: &Sealpost, path: &str, headers: &str) -> TcpStream {
    let address = sealpost.server.addresses().plain.unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Status and body of an answer that ends the connection, in whatever way.
async fn answer(mut stream: impl AsyncRead + Unpin) -> (u16, Value) {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4_096]);
    let reading = async {
        while let Ok(count @ 1..) = stream.read(&mut piece).await {
            bytes.extend_from_slice(&piece[..count]);
        }
    };
    let read = tokio::time::timeout(PATIENCE, reading).await;
    let text = String::from_utf8(bytes).unwrap();
    assert!(read.is_ok(), "the connection does not end: {text}");
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_whose_key_is_revoked_while_its_body_comes_gets_no_answer() {
    let sealpost = spawn_sealpost().await;
    let (key, manager) = (sealpost.sending_key().await, sealpost.management_key().await);
    let mail = v1_mail(&["ann@inbox.test"]).to_string();
    let (first, rest) = mail.split_at(mail.len() / 2);
    let headers = format!(
        "Authorization: Bearer {}\r\nIdempotency-Key: order-7\r\nContent-Length: {}\r\n",
        key.0.key,
        mail.len()
    );
    let mut calls = Vec::new();
    for _ in 0..3 {
        let mut stream = begin(&sealpost, "/v1/messages", &headers).await;
        stream.write_all(first.as_bytes()).await.unwrap();
        calls.push(stream);
    }
    let mut answers = Vec::new();
    let last = calls.pop().unwrap();
    for mut stream in calls {
        stream.write_all(rest.as_bytes()).await.unwrap();
        answers.push(answer(stream).await);
    }
    assert_eq!(answers[0].0, 202, "{}", answers[0].1);
    assert_eq!(answers[1], answers[0], "a repeat while the key holds");
    manager.act("revoke", &key.0.id).await.ok();
    let head = sealpost.head();
    let mut stream = last;
    stream.write_all(rest.as_bytes()).await.unwrap();
    let (status, refused) = answer(stream).await;
    assert_eq!((status, &refused["code"]), (401, &"invalid_key".into()), "{refused}");
    let recorded = sealpost.recorded_after(head).await;
    assert!(recorded.contains(&"KeyUseRefused".to_owned()), "{recorded:?}");
    sealpost.inbox.wait_for(1).await;
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_holds_a_connection_by_chunks_that_never_end() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let chunked = "Transfer-Encoding: chunked\r\n";
    let bearer = format!("Authorization: Bearer {}\r\n{chunked}", key.0.key);
    // What is answered at its head, and what is given up while it comes.
    let requests = [
        ("/v1/messages", chunked, 401, Duration::ZERO),
        ("/v1/messages", &bearer, 408, GRACE),
        ("/api/1.0/messages/send.json", chunked, 408, GRACE),
    ];
    let ended = requests.map(async |(path, headers, expected, at_least)| {
        let began = Instant::now();
        let (reading, mut writing) = begin(&sealpost, path, headers).await.into_split();
        let dripping = tokio::spawn(async move {
            let mut every = tokio::time::interval(Duration::from_millis(250));
            while writing.write_all(b"1\r\n \r\n").await.is_ok() {
                every.tick().await;
            }
        });
        let (status, body) = answer(reading).await;
        assert_eq!(status, expected, "{path}: {body}");
        assert!(began.elapsed() >= at_least, "{path}: after {:?}", began.elapsed());
        dripping.abort();
    });
    futures_util::future::join_all(ended).await;
    // A chunked body that ends is a body as any other.
    let mail = v1_mail(&["ann@inbox.test"]).to_string();
    let mut stream = begin(&sealpost, "/v1/messages", &bearer).await;
    let whole = format!("{:x}\r\n{mail}\r\n0\r\n\r\n", mail.len());
    stream.write_all(whole.as_bytes()).await.unwrap();
    let (status, taken) = answer(stream).await;
    assert_eq!(status, 202, "{taken}");
    sealpost.inbox.wait_for(1).await;
    sealpost.stop().await;
}
