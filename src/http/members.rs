//! A body as its members: counted before any of them is built, so that no text swells to many times its size.

use sealpost_domain::limits::REQUEST_MARKS_MAX;

use super::body::Body;
use super::error_code::ErrorCode;
use super::fault::Fault;
use super::fields::Fields;
use crate::intake::HeldRoom;

/// Memory that one mark stands for at most, in bytes: a value of 72 in a vector or an object of twice the length that it
/// needs, beside the smallest vector or object of its own.
const BYTES_PER_MARK: usize = 256;

/// The members of a body, and the room that they take until it is dropped.
pub(super) struct Members {
    pub(super) fields: Fields,
    /// Length of the body.
    pub(super) size_bytes: usize,
    pub(super) room: HeldRoom,
}

impl Members {
    /// Reads a body. Costs the processor what its length costs.
    ///
    /// # Errors
    /// [`ErrorCode::RequestTooLarge`] with more marks than there may be, [`ErrorCode::Busy`] without room for what they
    /// become, [`ErrorCode::MalformedJson`].
    pub(super) fn of_body(Body { bytes, mut room }: Body) -> Result<Self, Fault> {
        let (size_bytes, marks) = (bytes.len(), marks(&bytes));
        if marks as u64 > REQUEST_MARKS_MAX {
            let detail = format!("The body has more than {REQUEST_MARKS_MAX} members and elements.");
            return Err(Fault::from(ErrorCode::RequestTooLarge).with_detail(detail));
        }
        room.grow(marks.saturating_mul(BYTES_PER_MARK).saturating_add(size_bytes))?;
        let fields = Fields::of_body(&bytes)?;
        Ok(Self {
            fields,
            size_bytes,
            room,
        })
    }
}

/// How many brackets, braces, commas and colons stand outside of strings. Every value but the first follows one of them
/// (RFC 8259 §2), so that a text has at most one value more. How deep it nests is bounded by the parser.
fn marks(text: &[u8]) -> usize {
    let (mut rest, mut marks) = (text.iter(), 0_usize);
    while let Some(byte) = rest.next() {
        match byte {
            b'[' | b'{' | b',' | b':' => marks = marks.saturating_add(1),
            b'"' => rest = behind_string(rest.as_slice()).iter(),
            _ => {}
        }
    }
    marks
}

/// What follows a string whose opening quote is read; nothing where it does not end.
fn behind_string(mut rest: &[u8]) -> &[u8] {
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        let is_escape = rest.get(at) == Some(&b'\\');
        let skipped = if is_escape { 2 } else { 1 };
        rest = rest.get(at.saturating_add(skipped)..).unwrap_or_default();
        if !is_escape {
            return rest;
        }
    }
    &[]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::intake::ContentRoom;

    fn body(text: String, room: &ContentRoom) -> Body {
        Body {
            bytes: text.into_bytes(),
            room: room.of_peer("192.0.2.1".parse().unwrap()),
        }
    }

    fn of_zeros(count: usize) -> String {
        format!("{{\"a\":[{}0]}}", "0,".repeat(count))
    }

    #[test]
    fn a_value_is_as_large_as_the_room_for_it_supposes() {
        assert!(std::mem::size_of::<Value>() <= 72);
    }

    #[test]
    fn more_values_than_there_may_be_are_not_built() {
        let room = ContentRoom::default();
        let allowed = usize::try_from(REQUEST_MARKS_MAX).unwrap() - 3;
        assert!(Members::of_body(body(of_zeros(allowed), &room)).is_ok());
        let refused = Members::of_body(body(of_zeros(allowed + 1), &room)).err().unwrap();
        assert_eq!(refused.code, ErrorCode::RequestTooLarge);
    }

    #[test]
    fn values_take_the_room_that_they_need_and_not_that_of_their_text() {
        let room = ContentRoom::of_bytes(10 << 20, 10 << 20);
        let before = room.free_kib();
        let members = Members::of_body(body(of_zeros(20_000), &room)).unwrap();
        assert!(before - room.free_kib() >= 20_000 * 256 / 1024, "{}", room.free_kib());
        let refused = Members::of_body(body(of_zeros(30_000), &room)).err().unwrap();
        assert_eq!(refused.code, ErrorCode::Busy);
        drop(members);
        assert_eq!(room.free_kib(), before);
    }

    #[test]
    fn what_stands_in_strings_is_no_mark() {
        assert_eq!(marks(br#"{"a,:[{\"":"[,\\","b":[1,{}]}"#), 7);
        assert_eq!(marks(br#"{"open , : ["#), 1);
        assert_eq!(marks(br#""\"#), 0);
    }

    fn count(value: &Value) -> usize {
        1 + match value {
            Value::Array(values) => values.iter().map(count).sum::<usize>(),
            Value::Object(members) => members.values().map(count).sum(),
            _ => 0,
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            "[\\[\\]{},:\"\\\\a\u{e4}]{0,6}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec(("[a-e\"\\\\:,]{0,3}", inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_text_has_more_values_than_one_and_its_marks(value in json()) {
            prop_assert!(count(&value) <= 1 + marks(value.to_string().as_bytes()));
        }
    }
}
