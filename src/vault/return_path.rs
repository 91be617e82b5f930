//! Signs the reverse-path of each message, so that a report can be told from one that somebody made up.
//!
//! `b+ID.TAG`: the message's id and an HMAC over it, both in base 32, since some servers change the case of what stands
//! before the `@`. No address is in it, and nothing has to be looked up to know that it is ours.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use uuid::Uuid;

use sealpost_domain::ids::MessageId;

use super::failure::VaultFailure;
use super::master_key::MasterKey;

/// What every one of them begins with.
const PREFIX: &str = "b+";
/// Digits of 5 bits each.
const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Digits of an id of 128 bits.
const ID_DIGITS: u32 = 26;
/// Digits of a tag: 120 bits, so that `b+ID.TAG` stays below the 64 bytes of RFC 5321 §4.5.3.1.1.
const TAG_DIGITS: u32 = 24;

/// Signs and reads what stands before the `@` of a reverse-path. The key follows from the master key, so that a report is
/// known for as long as that is.
#[derive(Clone)]
pub struct ReturnPaths(hmac::Key);

impl std::fmt::Debug for ReturnPaths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReturnPaths(…)")
    }
}

impl ReturnPaths {
    /// Derives the key.
    pub(super) fn new(master: &MasterKey) -> Result<Self, VaultFailure> {
        let key = master.return_path_key()?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes())))
    }

    /// What stands before the `@` of this message's reverse-path: 53 bytes of ASCII in lower case.
    #[must_use]
    pub fn local_part(&self, message: MessageId) -> String {
        let id = digits(message.as_uuid().as_u128(), ID_DIGITS);
        format!("{PREFIX}{id}.{}", self.tag(message))
    }

    /// The message that this was signed for; `None` for anything that was not signed here.
    #[must_use]
    pub fn message(&self, local_part: &str) -> Option<MessageId> {
        let lower = local_part.to_ascii_lowercase();
        let (id, tag) = lower.strip_prefix(PREFIX)?.split_once('.')?;
        let message = MessageId::from_uuid(Uuid::from_u128(number(id)?));
        // Compared as text: digits that stand for the same number in another way are not what was signed.
        let same = verify_slices_are_equal(tag.as_bytes(), self.tag(message).as_bytes());
        same.is_ok().then_some(message)
    }

    fn tag(&self, message: MessageId) -> String {
        let tag = hmac::sign(&self.0, message.as_uuid().as_bytes());
        // HMAC-SHA-256 has 32 bytes, so that the first 16 are always there.
        let first: [u8; 16] = tag.as_ref().first_chunk().copied().unwrap_or_default();
        digits(u128::from_be_bytes(first) >> 8, TAG_DIGITS)
    }
}

fn digits(value: u128, count: u32) -> String {
    let digit = |place: u32| {
        let index = usize::try_from((value >> (5 * place)) & 31).unwrap_or_default();
        char::from(DIGITS.get(index).copied().unwrap_or_default())
    };
    (0..count).rev().map(digit).collect()
}

fn number(text: &str) -> Option<u128> {
    if text.len() != ID_DIGITS as usize {
        return None;
    }
    text.bytes().try_fold(0_u128, |value, byte| {
        let digit = DIGITS.iter().position(|digit| *digit == byte)?;
        value.checked_mul(32)?.checked_add(u128::try_from(digit).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn paths(seed: u8) -> ReturnPaths {
        ReturnPaths(hmac::Key::new(hmac::HMAC_SHA256, &[seed; 32]))
    }

    fn message(id: u128) -> MessageId {
        MessageId::from_uuid(Uuid::from_u128(id))
    }

    proptest! {
        #[test]
        fn what_was_signed_is_read_in_any_case_and_fits(id: u128) {
            let local = paths(1).local_part(message(id));
            prop_assert_eq!(local.len(), 53);
            prop_assert!(local.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+.".contains(&byte)));
            prop_assert_eq!(paths(1).message(&local), Some(message(id)));
            prop_assert_eq!(paths(1).message(&local.to_ascii_uppercase()), Some(message(id)));
        }

        #[test]
        fn nothing_else_is(id: u128, place in 2_usize..53, byte in prop::char::range('a', 'z')) {
            let signed = paths(1).local_part(message(id));
            prop_assert_eq!(paths(2).message(&signed), None, "another installation's");
            let mut forged = signed.clone();
            forged.replace_range(place..=place, &byte.to_string());
            if forged != signed {
                prop_assert_eq!(paths(1).message(&forged), None);
            }
        }

        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,70}") {
            prop_assert_eq!(paths(1).message(&text), None);
            prop_assert_eq!(paths(1).message(&format!("b+{text}")), None);
        }
    }

    #[test]
    fn an_id_beyond_128_bits_is_none() {
        let tag = "a".repeat(24);
        assert_eq!(paths(1).message(&format!("b+{}.{tag}", "7".repeat(26))), None);
        assert_eq!(number(&"7".repeat(26)), None);
        assert_eq!(number("h7777777777777777777777777"), Some(u128::MAX));
    }
}
