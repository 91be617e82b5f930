//! The one text of an event over which its leaf is made, the same for every store.
//!
//! Thirteen lines behind a first line that names the form. Each is `name`, a space, and the value: numbers in decimal,
//! texts as `length in bytes ':' bytes`, nothing as `-`. Lengths make the text unambiguous: a line break or a colon
//! inside a value cannot pass for structure.
//!
//! ```text
//! sealpost-event-1
//! shard 0
//! position 7
//! account 36:01920000-0000-7000-8000-000000000001
//! account_seq 3
//! stream_type 7:message
//! …
//! ```

use std::fmt::Write;

/// The facts of one event, as its store holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CanonicalEvent<'a> {
    /// Shard of the log.
    pub shard: u16,
    /// Place in the shard, from 1.
    pub position: u64,
    /// The account, where it concerns one: a UUID with hyphens.
    pub account: Option<&'a str>,
    /// Place in the account's own sequence, from 1.
    pub account_seq: Option<u64>,
    /// Name of the aggregate.
    pub stream_type: &'a str,
    /// Id of the stream within its type.
    pub stream_id: &'a str,
    /// Place in the stream, from 1.
    pub sequence: u64,
    /// Version of the wire form.
    pub version: &'a str,
    /// Name of the event.
    pub event_type: &'a str,
    /// The event, byte by byte as stored.
    pub payload: &'a str,
    /// The metadata, byte by byte as stored.
    pub metadata: &'a str,
    /// When it was recorded, in milliseconds since 1970-01-01T00:00:00Z.
    pub recorded_at_ms: i64,
    /// Epoch of the shard's owner.
    pub epoch: u64,
}

/// Writes the canonical text of an event. Two different events never have the same.
#[must_use]
pub fn canonical(event: &CanonicalEvent<'_>) -> String {
    let mut text = String::with_capacity(320 + event.payload.len() + event.metadata.len());
    text.push_str("sealpost-event-1\n");
    number(&mut text, "shard", Some(event.shard));
    number(&mut text, "position", Some(event.position));
    match event.account {
        Some(account) => words(&mut text, "account", account),
        None => number(&mut text, "account", None::<u64>),
    }
    number(&mut text, "account_seq", event.account_seq);
    words(&mut text, "stream_type", event.stream_type);
    words(&mut text, "stream_id", event.stream_id);
    number(&mut text, "sequence", Some(event.sequence));
    words(&mut text, "version", event.version);
    words(&mut text, "event_type", event.event_type);
    words(&mut text, "payload", event.payload);
    words(&mut text, "metadata", event.metadata);
    number(&mut text, "recorded_at_ms", Some(event.recorded_at_ms));
    number(&mut text, "epoch", Some(event.epoch));
    text
}

// Writing to a String cannot fail.

fn number(text: &mut String, name: &str, value: Option<impl std::fmt::Display>) {
    match value {
        Some(value) => writeln!(text, "{name} {value}").unwrap_or_default(),
        None => writeln!(text, "{name} -").unwrap_or_default(),
    }
}

fn words(text: &mut String, name: &str, value: &str) {
    writeln!(text, "{name} {}:{value}", value.len()).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: CanonicalEvent<'static> = CanonicalEvent {
        shard: 0,
        position: 7,
        account: Some("01920000-0000-7000-8000-000000000001"),
        account_seq: Some(3),
        stream_type: "message",
        stream_id: "01920000-0000-7000-8000-000000000002",
        sequence: 1,
        version: "1.0",
        event_type: "MessageAccepted",
        payload: "{\"é\":1}",
        metadata: "{}",
        recorded_at_ms: 1_700_000_000_042,
        epoch: 2,
    };

    #[test]
    fn the_text_is_this_one_for_ever() {
        let expected = "sealpost-event-1\n\
            shard 0\n\
            position 7\n\
            account 36:01920000-0000-7000-8000-000000000001\n\
            account_seq 3\n\
            stream_type 7:message\n\
            stream_id 36:01920000-0000-7000-8000-000000000002\n\
            sequence 1\n\
            version 3:1.0\n\
            event_type 15:MessageAccepted\n\
            payload 8:{\"é\":1}\n\
            metadata 2:{}\n\
            recorded_at_ms 1700000000042\n\
            epoch 2\n";
        assert_eq!(canonical(&EVENT), expected);
    }

    #[test]
    fn what_is_missing_is_no_empty_text() {
        let none = CanonicalEvent {
            account: None,
            account_seq: None,
            ..EVENT
        };
        let empty = CanonicalEvent {
            account: Some(""),
            account_seq: None,
            ..EVENT
        };
        assert_ne!(canonical(&none), canonical(&empty));
        assert!(canonical(&none).contains("\naccount -\naccount_seq -\n"));
    }

    #[test]
    fn a_value_cannot_pass_for_structure() {
        let one = CanonicalEvent {
            stream_type: "a",
            stream_id: "b\nsequence 9",
            ..EVENT
        };
        let other = CanonicalEvent {
            stream_type: "a\nstream_id 1:b",
            stream_id: "",
            ..EVENT
        };
        assert_ne!(canonical(&one), canonical(&other));
    }
}
