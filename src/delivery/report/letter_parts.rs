//! Finds the part of a letter that a program reads: of a `multipart/report` (RFC 6522), and of nothing else.

use mail_parser::{MessageParser, MimeHeaders, PartType};

/// Parts of one letter that are looked at.
const PARTS_MAX: usize = 20;

/// What a letter turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Machine {
    /// A delivery status notification: its `message/delivery-status`.
    DeliveryStatus(Vec<u8>),
    /// A feedback report: its `message/feedback-report`, and what it quotes of the original.
    Feedback {
        /// The part.
        report: Vec<u8>,
        /// The original message or its header, as far as it is there.
        original: Vec<u8>,
    },
    /// Another letter: somebody's, or an automatic answer.
    None,
}

/// Looks at a letter. Of what lies within an attached message nothing counts: people forward reports.
pub(super) fn machine_part(letter: &[u8]) -> Machine {
    let Some(message) = MessageParser::default().parse(letter) else {
        return Machine::None;
    };
    let is_report = message
        .content_type()
        .is_some_and(|kind| kind.ctype().eq_ignore_ascii_case("multipart") && is(kind.subtype(), "report"));
    if !is_report {
        return Machine::None;
    }
    let (mut status, mut feedback, mut original) = (None, None, Vec::new());
    for part in message.parts.iter().take(PARTS_MAX) {
        let subtype = part.content_type().and_then(|kind| kind.subtype());
        match &part.body {
            PartType::Message(quoted) => original = quoted.raw_message().to_vec(),
            // RFC 6533 §3: the same with addresses in UTF-8.
            _ if is(subtype, "delivery-status") || is(subtype, "global-delivery-status") => {
                status.get_or_insert_with(|| part.contents().to_vec());
            }
            _ if is(subtype, "feedback-report") => {
                feedback.get_or_insert_with(|| part.contents().to_vec());
            }
            _ if is(subtype, "rfc822-headers") => original = part.contents().to_vec(),
            _ => {}
        }
    }
    match (status, feedback) {
        (Some(status), _) => Machine::DeliveryStatus(status),
        (None, Some(report)) => Machine::Feedback { report, original },
        (None, None) => Machine::None,
    }
}

fn is(subtype: Option<&str>, name: &str) -> bool {
    subtype.is_some_and(|subtype| subtype.eq_ignore_ascii_case(name))
}
