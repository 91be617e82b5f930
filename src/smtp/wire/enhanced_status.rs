//! Reads and writes enhanced status codes such as `5.1.1` (RFC 3463, in replies by RFC 2034).

use std::fmt;

/// A status code of three numbers: class, subject and detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnhancedStatus {
    /// 2 success, 4 persistent transient failure, 5 permanent failure.
    pub class: u8,
    /// What the status is about, 0..=999: 1 address, 2 mailbox, 3 system, 4 network, 5 protocol, 6 content, 7 policy.
    pub subject: u16,
    /// The condition within the subject, 0..=999.
    pub detail: u16,
}

impl EnhancedStatus {
    /// Reads the status at the start of a reply's text; `None` where there is none or it is not well formed.
    pub fn parse_prefix(text: &str) -> Option<Self> {
        let word = text.split_whitespace().next()?;
        let mut parts = word.split('.');
        let status = Self {
            class: parts.next().and_then(number)?.try_into().ok()?,
            subject: parts.next().and_then(number)?,
            detail: parts.next().and_then(number)?,
        };
        (parts.next().is_none() && matches!(status.class, 2 | 4 | 5)).then_some(status)
    }
}

// RFC 3463 §2: one to three digits; no sign, no blank, which `str::parse` would let through.
fn number(digits: &str) -> Option<u16> {
    let well_formed = (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    well_formed.then(|| digits.parse().ok()).flatten()
}

impl fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_the_first_word_only() {
        let status = EnhancedStatus {
            class: 5,
            subject: 1,
            detail: 1,
        };
        assert_eq!(EnhancedStatus::parse_prefix("5.1.1 no such user"), Some(status));
        assert_eq!(EnhancedStatus::parse_prefix("5.1.1"), Some(status));
        assert_eq!(EnhancedStatus::parse_prefix("no such user 5.1.1"), None);
    }

    #[test]
    fn what_is_not_well_formed_is_none() {
        for text in [
            "",
            "5.1",
            "5.1.1.1",
            "3.1.1 x",
            "5.1.1234",
            "+5.1.1",
            "5..1",
            "5.1.1: x",
            "192.0.2.1",
            "5.1.x",
        ] {
            assert_eq!(EnhancedStatus::parse_prefix(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_parsing_agree(class in prop::sample::select(vec![2u8, 4, 5]), subject in 0u16..1000, detail in 0u16..1000) {
            let status = EnhancedStatus { class, subject, detail };
            prop_assert_eq!(EnhancedStatus::parse_prefix(&status.to_string()), Some(status));
        }
    }
}
