//! Reads from a running engine what is on record, and waits for more.

use std::time::Duration;

use sealpost::serve::Engine;
use sealpost_domain::ids::MessageId;
use sealpost_domain::{Recorded, StreamId};

/// The events of a message.
pub async fn stream(engine: &Engine, message: MessageId) -> Vec<Recorded> {
    let reader = engine.log().read();
    tokio::task::spawn_blocking(move || reader.stream(&StreamId::message(message)).unwrap())
        .await
        .unwrap()
}

/// The events of a message with their personal fields opened.
pub async fn opened(engine: &Engine, message: MessageId) -> Vec<Recorded> {
    let source = engine.log().source();
    tokio::task::spawn_blocking(move || source.stream(&StreamId::message(message)).unwrap())
        .await
        .unwrap()
}

/// The event types of a message, in order.
pub async fn history(engine: &Engine, message: MessageId) -> Vec<String> {
    let stream = stream(engine, message).await;
    stream.iter().map(|recorded| recorded.event.event_type()).collect()
}

/// Waits until the last event of a message is of this type; panics after 20 s.
pub async fn until(engine: &Engine, message: MessageId, last: &str) -> Vec<String> {
    let mut tail = engine.log().read().tail();
    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let history = history(engine, message).await;
        if history.last().is_some_and(|event| event == last) {
            return history;
        }
        let moved = tokio::time::timeout_at(end, tail.changed()).await;
        assert!(moved.is_ok(), "no {last} after {history:?}");
    }
}

/// The types of all events after a position.
pub async fn recorded_after(engine: &Engine, position: u64) -> Vec<String> {
    let reader = engine.log().read();
    let events = tokio::task::spawn_blocking(move || reader.events(position, 10_000).unwrap());
    let events = events.await.unwrap();
    events.iter().map(|recorded| recorded.event.event_type()).collect()
}
