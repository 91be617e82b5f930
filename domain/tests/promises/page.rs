//! The pages `docs/events.md` and `docs/limits.md`: made from the code, compared with what is checked in.

use std::collections::BTreeMap;
use std::fmt::Write;

use sealpost_domain::metadata::{Actor, Metadata};
use sealpost_domain::{Event, StreamType, limits};
use serde_json::Value;

use super::file;
use super::visitor::{key_of, personal};
use crate::samples;

const EVENTS: &str = "\
# Events

Everything that happened, by stream, as the log stores it. A personal field is stored sealed, under the key that stands
behind it, or as erased once that key is destroyed; all other fields are in clear. The account's key seals what concerns
the account, a user's key what concerns that user, a recipient's key what concerns the person who is written to.

An event is never changed: a new form gets a new version, and the old one stays readable. `domain/tests/wire/` holds a
stored sample of each. This page is written by `UPDATE_GOLDEN=1 cargo test -p sealpost-domain --test wire`.
";

const LIMITS: &str = "\
# Limits

Everything has a limit. The unit stands in the name. This page is written from `domain/src/limits.rs` by
`UPDATE_GOLDEN=1 cargo test -p sealpost-domain --test wire`.

| limit | value | why | what the caller sees |
|---|---:|---|---|
";

/// One line of the page: the fields of all shapes of an event type, each named once.
#[derive(Default)]
struct Row {
    version: String,
    clear: Vec<String>,
    personal: Vec<String>,
}

impl Row {
    fn add(&mut self, event: &Event) {
        self.version = event.event_version();
        let payload: Value = serde_json::from_str(&event.to_payload().expect("a payload")).expect("JSON");
        if let Some(fields) = payload.get(event.event_type()) {
            collect(fields, "", &mut self.clear);
        }
        let keys = personal(event).into_iter();
        let fields = keys.map(|(name, subject)| format!("`{name}` ({})", key_of(subject)));
        fields.for_each(|field| add(&mut self.personal, field));
    }
}

fn add(list: &mut Vec<String>, name: String) {
    if !list.contains(&name) {
        list.push(name);
    }
}

/// The fields in clear; an object is named as a whole unless something personal is in it.
fn collect(fields: &Value, path: &str, clear: &mut Vec<String>) {
    for (name, value) in fields.as_object().into_iter().flatten() {
        let is_personal = value.get("known").is_some();
        match value {
            _ if is_personal => {}
            Value::Object(_) if value.to_string().contains("\"known\":") => {
                collect(value, &format!("{path}{name}."), clear);
            }
            // Where another shape has an object, this one has nothing.
            Value::Null if clear.iter().any(|other| other.starts_with(&format!("`{path}{name}."))) => {}
            _ => add(clear, format!("`{path}{name}`")),
        }
    }
}

fn joined(names: &[String]) -> String {
    if names.is_empty() {
        "–".to_owned()
    } else {
        names.join(", ")
    }
}

fn events_page() -> String {
    let mut rows: BTreeMap<(StreamType, String), Row> = BTreeMap::new();
    for sample in samples::all() {
        let name = (sample.event.stream_type(), sample.event.event_type());
        rows.entry(name).or_default().add(&sample.event);
    }
    let mut page = EVENTS.to_owned();
    for stream_type in StreamType::ALL {
        let name = stream_type.as_str();
        write!(
            page,
            "\n## `{name}`\n\n| event | version | in clear | personal (key) |\n|---|---|---|---|\n"
        )
        .expect("text");
        for event_type in stream_type.event_types() {
            let row = rows.get(&(*stream_type, (*event_type).to_owned())).expect("a sample");
            let (clear, personal) = (joined(&row.clear), joined(&row.personal));
            writeln!(page, "| `{event_type}` | {} | {clear} | {personal} |", row.version).expect("text");
        }
    }
    page + &metadata_section()
}

fn metadata_section() -> String {
    let full = samples::metadata();
    let by_a_key = Metadata {
        actor: Actor::System,
        ..full.clone()
    };
    let always = Metadata::system(None, "n1").to_wire();
    let mut section = "\n## Metadata of every event\n\n\
        A flat object of texts. A personal one is `sealed:` and its box, or `erased`; its key is the user's where a user\n\
        acted, else the account's.\n\n| field | there | personal (key) |\n|---|---|---|\n"
        .to_owned();
    for field in full.to_wire().into_keys() {
        let there = if always.contains_key(field) {
            "always"
        } else {
            "where it applies"
        };
        let keys: Vec<String> = [&full, &by_a_key]
            .into_iter()
            .flat_map(personal)
            .filter(|(name, _)| name.strip_prefix("metadata.") == Some(field))
            .map(|(_, subject)| key_of(subject).to_owned())
            .collect();
        let keys = if keys.is_empty() {
            "–".to_owned()
        } else {
            keys.join(" or ")
        };
        writeln!(section, "| `{field}` | {there} | {keys} |").expect("text");
    }
    section
}

fn limits_page() -> String {
    let mut page = LIMITS.to_owned();
    for limit in limits::ALL {
        let (name, value) = (limit.name.to_lowercase(), grouped(limit.value));
        writeln!(page, "| `{name}` | {value} | {} | {} |", limit.reason, limit.seen_as).expect("text");
    }
    page
}

/// Digits in groups of three: `26,214,400`.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[test]
fn the_page_of_events_lists_every_type_with_its_keys() {
    file::hold(&file::docs().join("events.md"), &events_page());
}

#[test]
fn the_page_of_limits_lists_all_of_them() {
    file::hold(&file::docs().join("limits.md"), &limits_page());
}

#[test]
fn digits_are_grouped_from_the_end() {
    for (value, text) in [(1, "1"), (998, "998"), (1_000, "1,000"), (26_214_400, "26,214,400")] {
        assert_eq!(grouped(value), text);
    }
}
