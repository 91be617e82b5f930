//! Bodies that come slowly or not at all: given up in time, refused where their key has gone, no room for too many.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::case::Watched;
use crate::support::{spawn_sealpost, v1_mail};

/// A request of `/v1` whose body is still to come.
async fn begun(watched: &Watched, key: &str, length: usize) -> TcpStream {
    let address = watched.sealpost.server.addresses().plain.unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Status and code of what is answered until the connection ends, in whatever way: who is still written to when it ends
/// may end it hard.
async fn answer(mut stream: impl AsyncRead + Unpin) -> (String, Value) {
    let (mut text, mut piece) = (Vec::new(), [0; 4_096]);
    let reading = async {
        while let Ok(count @ 1..) = stream.read(&mut piece).await {
            text.extend_from_slice(&piece[..count]);
        }
    };
    let read = tokio::time::timeout(Duration::from_secs(120), reading).await;
    assert!(read.is_ok(), "it is answered, and the connection ends");
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split_whitespace().nth(1).unwrap().to_owned();
    let body: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{text}"));
    (status, body["code"].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_comes_drop_by_drop_is_given_up_however_steadily_it_drops() {
    let mut watched = Watched::new(spawn_sealpost().await).await;
    let (began, key) = (Instant::now(), watched.key.0.key.clone());
    let (reading, mut writing) = begun(&watched, &key, 1_000_000).await.into_split();
    let dropping = tokio::spawn(async move {
        let mut every = tokio::time::interval(Duration::from_millis(500));
        loop {
            every.tick().await;
            if writing.write_all(b" ").await.is_err() {
                return;
            }
        }
    });
    let (status, code) = answer(reading).await;
    dropping.abort();
    assert_eq!((status.as_str(), code), ("408", "request_timed_out".into()));
    assert!(
        began.elapsed() >= Duration::from_secs(29),
        "a slow line has half a minute"
    );
    watched.check_unmoved("a body that never came");
    watched.check_serving().await;
    watched.sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_revoked_while_its_body_comes_is_refused() {
    let mut watched = Watched::new(spawn_sealpost().await).await;
    let (leaked, manager) = (
        watched.sealpost.sending_key().await,
        watched.sealpost.management_key().await,
    );
    let body = v1_mail(&["ann@inbox.test"]).to_string();
    let (first, last) = body.split_at(body.len() / 2);
    let mut begun_with = Vec::new();
    for _ in 0..4 {
        let mut stream = begun(&watched, &leaked.0.key, body.len()).await;
        stream.write_all(first.as_bytes()).await.unwrap();
        begun_with.push(stream);
    }
    // Served behind the heads of the others, so that those were read and let in.
    watched.check_serving().await;
    leaked.send_v1(&v1_mail(&["next@inbox.test"])).await;
    watched.sealpost.inbox.wait_for(3).await;
    manager.act("revoke", &leaked.0.id).await.ok();
    let before = watched.sealpost.head();
    for mut stream in begun_with {
        stream.write_all(last.as_bytes()).await.unwrap();
        let (status, code) = answer(stream).await;
        assert_eq!((status.as_str(), code), ("401", "invalid_key".into()));
    }
    let recorded = watched.sealpost.recorded_after(before).await;
    let news: Vec<&String> = recorded.iter().filter(|event| !event.starts_with("Message")).collect();
    assert_eq!(news, ["KeyUseRefused"], "once for all, and {recorded:?}");
    assert!(!recorded.contains(&"MessageAccepted".to_owned()), "{recorded:?}");
    watched.check_serving().await;
    watched.sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_large_bodies_than_memory_bears_are_told_to_come_again_and_small_ones_are_served() {
    const LARGE: usize = 34 << 20;
    let mut watched = Watched::new(spawn_sealpost().await).await;
    let (key, piece) = (watched.key.0.key.clone(), vec![b' '; LARGE - 1]);
    let mut held = Vec::new();
    // 256 MiB bear seven of them.
    for _ in 0..7 {
        let mut stream = begun(&watched, &key, LARGE).await;
        stream.write_all(&piece).await.unwrap();
        held.push(stream);
    }
    let (reading, mut writing) = begun(&watched, &key, LARGE).await.into_split();
    // It is answered before everything is written.
    let writing = tokio::spawn(async move { drop(writing.write_all(&piece).await) });
    let (status, code) = answer(reading).await;
    writing.abort();
    assert_eq!((status.as_str(), code), ("503", "busy".into()));
    watched.check_unmoved("bodies without an end");
    watched.check_serving().await;
    drop(held);
    watched.sealpost.stop().await;
}
