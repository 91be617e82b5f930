//! The golden files read through cqrs-es' own types: what any tool over its store sees.

use cqrs_es::persist::SerializedEvent;
use cqrs_es::{Aggregate, DomainEvent, EventEnvelope};
use sealpost_domain::StreamType;
use sealpost_domain::account::Account;
use sealpost_domain::api_key::ApiKey;
use sealpost_domain::engagement::Engagement;
use sealpost_domain::gate::Gate;
use sealpost_domain::message::Message;
use sealpost_domain::sending_domain::SendingDomain;
use sealpost_domain::shard::Shard;
use sealpost_domain::suppression::Suppression;
use sealpost_domain::user::User;
use serde_json::Value;

use super::file;

/// Reads a golden file as an event of `A` and writes it again.
fn there_and_back<A: Aggregate>(record: &Value, metadata: &Value) {
    let text = |name: &str| record[name].as_str().expect("a text").to_owned();
    assert_eq!(A::TYPE, text("stream_type"));
    let stored = SerializedEvent::new(
        "id".to_owned(),
        1,
        text("stream_type"),
        text("event_type"),
        text("event_version"),
        record["payload"].clone(),
        metadata.clone(),
    );
    let envelope = EventEnvelope::<A>::try_from(stored.clone()).expect("an envelope");
    let current = envelope.payload.event_version() == stored.event_version;
    let written = SerializedEvent::try_from(&envelope).expect("a serialised event");
    // An older version is read and never written again.
    assert!(!current || written == stored, "{record}");
}

#[test]
fn every_golden_file_passes_through_the_envelope_of_its_aggregate() {
    let metadata = file::json(&file::wire().join("metadata.json"));
    for (_, record) in file::events() {
        let stream_type = record["stream_type"].as_str().expect("a stream type");
        let check = match StreamType::parse(stream_type).expect("a stream type that exists") {
            StreamType::Account => there_and_back::<Account>,
            StreamType::User => there_and_back::<User>,
            StreamType::ApiKey => there_and_back::<ApiKey>,
            StreamType::SendingDomain => there_and_back::<SendingDomain>,
            StreamType::Suppression => there_and_back::<Suppression>,
            StreamType::Message => there_and_back::<Message>,
            StreamType::Engagement => there_and_back::<Engagement>,
            StreamType::Gate => there_and_back::<Gate>,
            StreamType::Shard => there_and_back::<Shard>,
        };
        check(&record, &metadata);
    }
}
