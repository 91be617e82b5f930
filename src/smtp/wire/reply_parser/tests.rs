//! Feeds the parser whole, cut, oversized and random replies.

use super::*;
use crate::smtp::wire::EnhancedStatus;
use proptest::prelude::*;

fn read(bytes: &[u8]) -> Result<Option<Reply>, ReplyFault> {
    let mut parser = ReplyParser::new();
    parser.push(bytes);
    parser.next_reply()
}

fn complete(bytes: &[u8]) -> Reply {
    read(bytes).unwrap().unwrap()
}

#[test]
fn one_line() {
    let reply = complete(b"250 2.1.0 Ok\r\n");
    assert_eq!((reply.code(), reply.lines()), (250, ["2.1.0 Ok".to_owned()].as_slice()));
    assert_eq!(
        reply.enhanced(),
        Some(EnhancedStatus {
            class: 2,
            subject: 1,
            detail: 0
        })
    );
}

#[test]
fn many_lines_make_one_reply() {
    let reply = complete(b"250-mx.test\r\n250-PIPELINING\r\n250 SIZE 1\r\n");
    assert_eq!(reply.lines(), ["mx.test", "PIPELINING", "SIZE 1"]);
}

#[test]
fn a_code_alone_is_a_reply() {
    assert_eq!(complete(b"354\r\n").lines(), [""]);
    assert_eq!(complete(b"250-\r\n250\r\n").lines(), ["", ""]);
}

#[test]
fn bare_lf_ends_a_line_too() {
    assert_eq!(complete(b"250-a\n250 b\n").lines(), ["a", "b"]);
}

#[test]
fn replies_are_cut_apart() {
    let mut parser = ReplyParser::new();
    parser.push(b"250 one\r\n550 two\r\n354 thr");
    assert_eq!(parser.next_reply().unwrap().unwrap().code(), 250);
    assert_eq!(parser.next_reply().unwrap().unwrap().code(), 550);
    assert_eq!(parser.next_reply(), Ok(None));
    assert_eq!(parser.pending_bytes(), 7);
    parser.push(b"ee\r\n");
    assert_eq!(parser.next_reply().unwrap().unwrap().lines(), ["three"]);
    assert_eq!(parser.pending_bytes(), 0);
}

#[test]
fn an_incomplete_reply_counts_as_pending() {
    let mut parser = ReplyParser::new();
    parser.push(b"250-one\r\n");
    assert_eq!(parser.next_reply(), Ok(None));
    assert_eq!(parser.pending_bytes(), 9);
}

#[test]
fn codes_may_differ_within_a_class_only() {
    assert_eq!(complete(b"250-a\r\n251 b\r\n").code(), 251);
    assert_eq!(read(b"250-a\r\n550 b\r\n"), Err(ReplyFault::ContradictoryCodes));
}

#[test]
fn what_is_no_reply_is_malformed() {
    for line in [
        &b"\r\n"[..],
        b"25\r\n",
        b"2500\r\n",
        b"HTTP/1.1 400\r\n",
        b"250x\r\n",
        b"199 a\r\n",
        b"600 a\r\n",
        b"+50 a\r\n",
        b"\xff\xff\xff\n",
    ] {
        assert_eq!(read(line), Err(ReplyFault::Malformed), "{line:?}");
    }
}

#[test]
fn text_that_is_no_utf8_or_moves_cursors_is_replaced() {
    assert_eq!(
        complete(b"550 f\xfcr \x1b[2J\ttab\r\n").lines(),
        ["f\u{fffd}r \u{fffd}[2J\ttab"]
    );
}

#[test]
fn lines_lengths_and_counts_are_limited() {
    let line = |length: usize| format!("250 {}\r\n", "a".repeat(length - 6));
    assert_eq!(complete(line(2_048).as_bytes()).lines()[0].len(), 2_042);
    assert_eq!(read(line(2_049).as_bytes()), Err(ReplyFault::LineTooLong));
    assert_eq!(read(&vec![b'2'; 4_000]), Err(ReplyFault::LineTooLong));
    let many = |count: usize| "250-a\r\n".repeat(count - 1) + "250 a\r\n";
    assert_eq!(complete(many(100).as_bytes()).lines().len(), 100);
    assert_eq!(read(many(101).as_bytes()), Err(ReplyFault::TooManyLines));
    let wide = format!("250-{}\r\n", "a".repeat(2_000)).repeat(33) + "250 a\r\n";
    assert_eq!(read(wide.as_bytes()), Err(ReplyFault::TooLarge));
}

#[test]
fn a_fault_stays() {
    let mut parser = ReplyParser::new();
    parser.push(b"nonsense\r\n250 fine\r\n");
    assert_eq!(parser.next_reply(), Err(ReplyFault::Malformed));
    parser.push(b"250 fine\r\n");
    assert_eq!(parser.next_reply(), Err(ReplyFault::Malformed));
}

fn any_reply() -> impl Strategy<Value = Reply> {
    (200u16..600, prop::collection::vec("[ -~äß]{0,80}", 1..10)).prop_map(|(code, lines)| Reply::new(code, lines))
}

fn reply_like_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"250-".to_vec()),
        Just(b"550 5.1.1 ".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\n".to_vec()),
        Just(vec![b'a'; 700]),
        prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec(piece, 0..400).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn parsing_inverts_printing_however_the_bytes_are_cut(
        replies in prop::collection::vec(any_reply(), 1..5),
        cut in 1usize..40,
    ) {
        let mut bytes = Vec::new();
        replies.iter().for_each(|reply| reply.encode_into(&mut bytes));
        let mut parser = ReplyParser::new();
        let mut read = Vec::new();
        for part in bytes.chunks(cut) {
            parser.push(part);
            while let Some(reply) = parser.next_reply().unwrap() {
                read.push(reply);
            }
        }
        prop_assert_eq!(read, replies);
        prop_assert_eq!(parser.pending_bytes(), 0);
    }

    #[test]
    fn no_bytes_make_the_parser_panic_or_grow(bytes in reply_like_bytes(), cut in 1usize..600) {
        let mut parser = ReplyParser::new();
        for part in bytes.chunks(cut) {
            parser.push(part);
            while let Ok(Some(reply)) = parser.next_reply() {
                prop_assert!((1..=LINES_MAX).contains(&reply.lines().len()));
                prop_assert!((200..600).contains(&reply.code()));
            }
            prop_assert!(parser.pending_bytes() <= REPLY_LENGTH_BYTES_MAX + LINE_LENGTH_BYTES_MAX + cut);
        }
    }
}
