//! Checks canonical forms against the RFC's examples and a simple implementation.

use proptest::prelude::*;

use super::super::canonical::{RelaxedBodyHash, fields, write_relaxed_field};
use super::*;

#[test]
fn lines_of_white_space_at_the_end_do_not_count() {
    // The library that we do not sign with answers UYUbtP… here, and receivers that follow the RFC refuse that.
    assert_eq!(
        body_hash(&[b"hi\r\n \t\r\n"]),
        STANDARD.encode(digest(&SHA256, b"hi\r\n"))
    );
    assert!(body_hash(&[b"hi\r\n \t\r\n"]).starts_with("RHI91NDg"));
}

#[test]
fn canonical_bodies_follow_the_rfc() {
    for (body, canonical) in [
        ("", ""),
        ("\r\n\r\n", ""),
        (" \t\r\n", ""),
        // RFC 6376 §3.4.5, example 2.
        (" C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n"),
        ("no end", "no end\r\n"),
        ("a\r\n\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n"),
        ("a\rb\r\n", "a\rb\r\n"),
        ("a\r", "a\r\r\n"),
        ("a\r\r\n", "a\r\r\n"),
        ("\r\n a\r\n", "\r\n a\r\n"),
    ] {
        assert_eq!(
            body_hash(&[body.as_bytes()]),
            STANDARD.encode(digest(&SHA256, canonical.as_bytes())),
            "{body:?}"
        );
    }
}

#[test]
fn canonical_fields_follow_the_rfc() {
    // RFC 6376 §3.4.5, example 1.
    let block = b"A: X\r\nB : Y\t\r\n\tZ  \r\n";
    let mut canonical = Vec::new();
    for (name, value) in fields(block) {
        write_relaxed_field(name, value, &mut canonical);
        canonical.extend_from_slice(b"\r\n");
    }
    assert_eq!(canonical, b"a:X\r\nb:Y Z\r\n");
}

pub fn body_hash(pieces: &[&[u8]]) -> String {
    let mut hash = RelaxedBodyHash::default();
    pieces.iter().for_each(|piece| hash.update(piece));
    STANDARD.encode(hash.finish())
}

/// The relaxed form line by line, as one would write it down from the RFC.
pub fn simple_relaxed(body: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in body.split("\r\n") {
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        let indent = if line.starts_with([' ', '\t']) && !words.is_empty() {
            " "
        } else {
            ""
        };
        lines.push(format!("{indent}{}", words.join(" ")));
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.iter().map(|line| format!("{line}\r\n")).collect()
}

proptest! {
    #[test]
    fn bodies_agree_with_a_simple_implementation(
        pieces in prop::collection::vec(prop_oneof![
            Just(" "), Just("\t"), Just("\r\n"), Just("a"), Just("."), Just("ü"), Just("\r\n\r\n"), Just("long word "),
        ], 0..40),
        cut in 0_usize..80,
    ) {
        let body = pieces.concat();
        let expected = STANDARD.encode(digest(&SHA256, simple_relaxed(&body).as_bytes()));
        prop_assert_eq!(body_hash(&[body.as_bytes()]), expected.clone());
        let (left, right) = body.as_bytes().split_at(cut.min(body.len()));
        prop_assert_eq!(body_hash(&[left, right]), expected);
    }
}
