//! Nothing personal is stored in clear: the visitor of each event meets every personal field, once.

use std::collections::BTreeSet;

use sealpost_domain::personal::{HasPersonal, PersonalField, Sealed};
use sealpost_domain::{Event, Personal};
use serde_json::Value;

use super::visitor::{erased, key_of, personal, sealed};
use crate::samples::{self, CANARY};

fn payload(event: &Event) -> Value {
    serde_json::from_str(&event.to_payload().expect("a payload")).expect("JSON")
}

/// How many personal values of this wire form (`known`, `sealed`, `erased`) are anywhere in it.
fn count(value: &Value, form: &str) -> usize {
    match value {
        Value::Object(fields) => {
            let here = usize::from(fields.len() == 1 && fields.contains_key(form));
            here + fields.values().map(|field| count(field, form)).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(|item| count(item, form)).sum(),
        Value::String(text) => usize::from(text == form),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

#[test]
fn sealing_leaves_nothing_known() {
    for sample in samples::all() {
        let event = sample.event;
        let fields = personal(&event).len();
        assert_eq!(
            count(&payload(&event), "known"),
            fields,
            "{event:?} hides a field from its visitor"
        );
        let sealed = payload(&sealed(&event).0);
        assert_eq!(
            (count(&sealed, "known"), count(&sealed, "sealed")),
            (0, fields),
            "{sealed}"
        );
        assert!(!sealed.to_string().contains(CANARY), "{sealed}");
    }
}

#[test]
fn erasing_leaves_neither_value_nor_box() {
    for sample in samples::all() {
        let fields = personal(&sample.event).len();
        // Once from the known value, once from the stored box: what is left is the same.
        let known = erased(&sample.event);
        assert_eq!(erased(&sealed(&sample.event).0), known);
        let payload = payload(&known);
        let left = (
            count(&payload, "known"),
            count(&payload, "sealed"),
            count(&payload, "erased"),
        );
        assert_eq!(left, (0, 0, fields), "{payload}");
    }
}

#[test]
fn what_was_sealed_is_opened_again() {
    for sample in samples::all() {
        let (mut event, mut open) = sealed(&sample.event);
        event.visit_personal(&mut open);
        assert_eq!(event, sample.event);
    }
}

#[test]
fn each_field_of_an_event_has_its_own_name_and_meets_the_visitor_sealed_or_not() {
    let metadata = personal(&samples::metadata());
    for sample in samples::all() {
        let fields = personal(&sample.event);
        let all = fields.iter().chain(&metadata).map(|(name, _)| *name);
        let names: BTreeSet<&str> = all.collect();
        // The name is bound into the box: twins, also those of one event and its metadata, could be swapped unnoticed.
        assert_eq!(names.len(), fields.len() + metadata.len(), "{names:?}");
        assert_eq!(personal(&sealed(&sample.event).0), fields);
        assert_eq!(personal(&erased(&sample.event)), fields);
    }
}

#[test]
fn debug_shows_no_personal_value() {
    for sample in samples::all() {
        let debug = format!("{:?}", sample.event);
        assert!(!debug.contains(CANARY), "{debug}");
    }
}

#[test]
fn metadata_is_sealed_under_the_key_of_the_user_who_acted() {
    let metadata = samples::metadata();
    let keys: Vec<_> = personal(&metadata)
        .into_iter()
        .map(|(name, subject)| (name, key_of(subject)))
        .collect();
    assert_eq!(keys, [("metadata.ip", "user"), ("metadata.user_agent", "user")]);
    for stored in [&metadata, &sealed(&metadata).0, &erased(&metadata)] {
        let wire = serde_json::to_string(&stored.to_wire()).expect("JSON");
        assert!(!wire.contains(CANARY) && !wire.contains("203.0.113"), "{wire}");
    }
}

#[test]
fn a_box_with_something_else_in_it_stays_shut() {
    let key = personal_key();
    let mut field: Personal<u16> = Personal::Sealed(Sealed::new(key, "box"));
    let before = field.clone();
    for plain in [&b"\"text\""[..], b"70000", b"", b"1 2"] {
        field.open(plain).expect_err("another type");
        assert_eq!(field, before);
    }
    field.open(b"7").expect("a number");
    assert_eq!(field, Personal::Known(7));
}

fn personal_key() -> sealpost_domain::ids::DataKeyId {
    "00000000000000000000000000000007".parse().expect("an id")
}
