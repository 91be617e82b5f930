//! The golden files: one per event type and version, one more for its erased form and for each other shape.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use sealpost_domain::metadata::Metadata;
use sealpost_domain::{Event, StreamType};
use serde_json::{Value, json};

use super::file;
use super::visitor::{erased, personal, sealed};
use crate::samples;

/// Every file that the samples make: its path, and the event in it.
fn golden() -> BTreeMap<PathBuf, Event> {
    let mut all = BTreeMap::new();
    for sample in samples::all() {
        let event = &sample.event;
        let folder = file::wire().join(event.stream_type().as_str());
        let stem = format!("{}.{}", event.event_type(), event.event_version());
        let path = |shape: &str| folder.join(format!("{stem}{shape}.json"));
        if sample.shape.is_none() && !personal(event).is_empty() {
            all.insert(path(".erased"), erased(event));
        }
        let shape = sample.shape.map_or_else(String::new, |shape| format!(".{shape}"));
        let twin = all.insert(path(&shape), sealed(event).0);
        assert_eq!(twin, None, "two samples of {stem} have the same shape");
    }
    all
}

fn payload(event: &Event) -> Value {
    serde_json::from_str(&event.to_payload().expect("a payload")).expect("JSON")
}

fn record(event: &Event) -> Value {
    json!({
        "event_type": event.event_type(),
        "event_version": event.event_version(),
        "stream_type": event.stream_type().as_str(),
        "payload": payload(event),
    })
}

/// The event in a golden file, read as the log reads it: without any key.
fn read(record: &Value) -> Event {
    let stream_type = record["stream_type"].as_str().expect("a stream type");
    let stream_type = StreamType::parse(stream_type).expect("a stream type that exists");
    Event::from_payload(stream_type, &record["payload"].to_string()).expect("an event that is read for ever")
}

#[test]
fn no_golden_file_differs_or_is_missing() {
    for (path, event) in golden() {
        file::hold(&path, &file::pretty(&record(&event)));
    }
}

#[test]
fn every_event_type_has_a_golden_file() {
    let made: BTreeSet<(StreamType, String)> = golden()
        .into_values()
        .map(|event| (event.stream_type(), event.event_type()))
        .collect();
    for stream_type in StreamType::ALL {
        for event_type in stream_type.event_types() {
            let name = (*stream_type, (*event_type).to_owned());
            assert!(made.contains(&name), "{name:?} has no sample in tests/samples");
        }
    }
}

#[test]
fn every_file_is_read_without_keys_and_printed_as_it_was() {
    let golden = golden();
    for (path, record) in file::events() {
        let event = read(&record);
        match golden.get(&path) {
            Some(made) => {
                assert_eq!(&event, made, "{}", path.display());
                assert_eq!(payload(&event), record["payload"], "{}", path.display());
                assert_eq!(event.event_type(), record["event_type"], "{}", path.display());
            }
            // What no sample makes must be of an older version: it was stored somewhere.
            None => assert_ne!(
                event.event_version(),
                record["event_version"],
                "{} is of no sample: remove it or bring the sample back",
                path.display()
            ),
        }
    }
}

#[test]
fn a_stored_payload_is_the_compact_text_of_its_golden_file() {
    for event in golden().into_values() {
        // Leaves of the log are hashes of this text: the order of fields counts, and no space is added.
        assert_eq!(event.to_payload().expect("a payload"), payload(&event).to_string());
    }
}

#[test]
fn a_payload_of_another_stream_is_no_event() {
    for event in golden().into_values() {
        let payload = event.to_payload().expect("a payload");
        for other in StreamType::ALL.iter().filter(|other| **other != event.stream_type()) {
            assert!(
                Event::from_payload(*other, &payload).is_err(),
                "{payload} is no {other:?}"
            );
        }
    }
}

#[test]
fn the_words_of_enumerations_stay() {
    file::hold(&file::wire().join("words.json"), &file::pretty(&samples::words()));
}

#[test]
fn metadata_is_a_flat_object_of_texts() {
    let full = samples::metadata();
    for (name, metadata) in [
        ("metadata.json", sealed(&full).0),
        ("metadata.erased.json", erased(&full)),
        ("metadata.system.json", Metadata::system(None, "n1")),
    ] {
        let path = file::wire().join(name);
        file::hold(&path, &file::pretty(&metadata.to_wire()));
        let flat: BTreeMap<String, String> = serde_json::from_value(file::json(&path)).expect("text to text");
        assert_eq!(Metadata::from_wire(&flat), Ok(metadata));
    }
}
