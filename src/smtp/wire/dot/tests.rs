//! The laws of content on the wire: what is stuffed comes back, and no part of it ends the message early.

use super::*;
use crate::smtp::wire::{Progress, Unstuffer};
use proptest::prelude::*;

fn on_the_wire(parts: &[&[u8]]) -> Vec<u8> {
    let content = StuffedContent::new(parts).unwrap();
    let mut bytes = content.segments().collect::<Vec<_>>().concat();
    assert_eq!(bytes.len(), content.wire_length_bytes());
    bytes.extend_from_slice(FINAL_DOT);
    bytes
}

fn received(bytes: &[u8]) -> Vec<u8> {
    let mut unstuffer = Unstuffer::new(1_000_000);
    assert_eq!(
        unstuffer.push(bytes),
        Progress::Complete {
            taken_bytes: bytes.len()
        }
    );
    unstuffer.finish().unwrap()
}

#[test]
fn dots_at_the_start_of_a_line_are_doubled() {
    assert_eq!(
        on_the_wire(&[b".\r\n..\r\na.\r\n.b\r\n"]),
        b"..\r\n...\r\na.\r\n..b\r\n.\r\n"
    );
}

#[test]
fn the_last_line_is_ended() {
    assert_eq!(on_the_wire(&[b"a"]), b"a\r\n.\r\n");
    assert_eq!(on_the_wire(&[b"a\r\n"]), b"a\r\n.\r\n");
}

#[test]
fn an_empty_content_is_the_final_dot_alone() {
    assert_eq!(on_the_wire(&[]), b".\r\n");
    assert_eq!(on_the_wire(&[b"", b""]), b".\r\n");
}

#[test]
fn parts_may_be_cut_anywhere() {
    assert_eq!(
        on_the_wire(&[b"a\r", b"\n", b".", b"b\r\n", b"", b".c"]),
        b"a\r\n..b\r\n..c\r\n.\r\n"
    );
}

#[test]
fn a_content_made_of_dots_is_copied_rather_than_listed() {
    let dots = b".\r\n".repeat(10_000);
    assert_eq!(
        on_the_wire(&[&dots]),
        [b"..\r\n".repeat(10_000).as_slice(), b".\r\n"].concat()
    );
    assert_eq!(
        StuffedContent::new(&[&dots]).unwrap().segments().count(),
        SEGMENTS_MAX + 1
    );
}

#[test]
fn bare_line_ends_are_refused() {
    let refused: [&[&[u8]]; 8] = [
        &[b"a\nb"],
        &[b"a\rb"],
        &[b"\n"],
        &[b"a\r"],
        &[b"a\r", b"b\n"],
        &[b"a", b"\nb"],
        &[b"a\r\r\n"],
        &[b"a\n\r"],
    ];
    for parts in refused {
        assert_eq!(StuffedContent::new(parts).map(|_| ()), Err(BareLineEnd), "{parts:?}");
    }
}

#[test]
fn normal_content_is_borrowed() {
    assert!(matches!(normalise_line_ends(b"a\r\nb"), Cow::Borrowed(_)));
    assert_eq!(
        normalise_line_ends(b"a\nb\rc\r\nd\n\re").as_ref(),
        b"a\r\nb\r\nc\r\nd\r\n\r\ne"
    );
    assert_eq!(normalise_line_ends(b"a\r\r\n").as_ref(), b"a\r\n\r\n");
}

fn nasty_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => prop::sample::select(vec![&b"\r"[..], b"\n", b"\r\n", b".", b"..", b".\r\n", b"\r\n.\r\n", b"\n.\n"]).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn cut(content: &[u8], length: usize) -> Vec<&[u8]> {
    content.chunks(length).collect()
}

fn ended(content: &[u8]) -> Vec<u8> {
    let mut content = content.to_vec();
    if !content.is_empty() && !content.ends_with(b"\r\n") {
        content.extend_from_slice(b"\r\n");
    }
    content
}

proptest! {
    #[test]
    fn what_is_stuffed_comes_back(bytes in nasty_bytes(), length in 1usize..20) {
        let normal = normalise_line_ends(&bytes);
        prop_assert_eq!(received(&on_the_wire(&cut(&normal, length))), ended(&normal));
    }

    #[test]
    fn cutting_changes_nothing(bytes in nasty_bytes(), length in 1usize..20) {
        let normal = normalise_line_ends(&bytes);
        prop_assert_eq!(on_the_wire(&cut(&normal, length)), on_the_wire(&[&normal]));
        prop_assert_eq!(StuffedContent::new(&cut(&bytes, length)).is_ok(), StuffedContent::new(&[&bytes]).is_ok());
    }

    #[test]
    fn the_message_ends_once_and_has_no_bare_line_end(bytes in nasty_bytes()) {
        let wire = on_the_wire(&[&normalise_line_ends(&bytes)]);
        let framed = [b"\r\n", wire.as_slice()].concat();
        let ends: Vec<usize> = memchr::memmem::find_iter(&framed, b"\r\n.\r\n").collect();
        prop_assert_eq!(ends, vec![framed.len() - 5]);
        let without = String::from_utf8_lossy(&wire).replace("\r\n", "");
        prop_assert!(!without.contains(['\r', '\n']));
    }

    #[test]
    fn a_bare_line_end_never_gets_through(bytes in nasty_bytes()) {
        let bare = String::from_utf8_lossy(&bytes).replace("\r\n", "").contains(['\r', '\n']);
        prop_assert_eq!(StuffedContent::new(&[&bytes]).is_err(), bare);
    }

    #[test]
    fn normalising_twice_is_normalising_once(bytes in nasty_bytes()) {
        let once = normalise_line_ends(&bytes).into_owned();
        prop_assert_eq!(normalise_line_ends(&once).into_owned(), once);
    }
}
