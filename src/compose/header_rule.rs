//! Says which custom headers a caller may set, and in which form each of them is written.

/// How the value of a custom header is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderForm {
    /// A list of mailboxes, read and written anew.
    Addresses,
    /// Its grammar knows no encoded words: printable ASCII, folded at white space.
    Structured,
    /// Free text: encoded words where it is not ASCII (RFC 2047 §5).
    Unstructured,
}

/// How often a header may stand in one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurrence {
    /// RFC 5322 §3.6: at most once.
    Once,
    /// As often as the caller likes.
    Any,
}

/// Longest name of a custom header, in bytes: with its colon it fits on the line that RFC 5322 §2.1.1 recommends.
pub const HEADER_NAME_BYTES_MAX: usize = 76;

/// Headers that are ours. The envelope's and the signer's headers would lie, the others are fields of the request.
const OWN: [&str; 13] = [
    "from",
    "sender",
    "to",
    "cc",
    "bcc",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "dkim-signature",
    "received",
    "return-path",
    "authentication-results",
];
/// Families that are ours: of the body, of other people's resending, of a trusted receiver.
const OWN_FAMILIES: [&str; 3] = ["content-", "resent-", "arc-"];
/// Headers whose grammar is a list of ids, addresses in angle brackets or tokens.
const STRUCTURED: [&str; 14] = [
    "in-reply-to",
    "references",
    "auto-submitted",
    "precedence",
    "importance",
    "priority",
    "x-priority",
    "x-msmail-priority",
    "disposition-notification-to",
    "return-receipt-to",
    "errors-to",
    "feedback-id",
    "tls-required",
    "require-recipient-valid-since",
];

/// Whether the text can be a header's name: RFC 5322 §3.6.8, and not longer than [`HEADER_NAME_BYTES_MAX`].
#[must_use]
pub fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= HEADER_NAME_BYTES_MAX && name.bytes().all(|b| b.is_ascii_graphic() && b != b':')
}

/// The form of a custom header; nothing if the header is ours.
#[must_use]
pub fn form_of(name: &str) -> Option<HeaderForm> {
    let name = name.to_ascii_lowercase();
    if OWN.contains(&name.as_str()) || OWN_FAMILIES.iter().any(|family| name.starts_with(family)) {
        return None;
    }
    Some(match name.as_str() {
        "reply-to" => HeaderForm::Addresses,
        other if STRUCTURED.contains(&other) || other.starts_with("list-") => HeaderForm::Structured,
        _ => HeaderForm::Unstructured,
    })
}

/// How often the header may be given.
#[must_use]
pub fn occurrence_of(name: &str) -> Occurrence {
    let once = [
        "reply-to",
        "in-reply-to",
        "references",
        "list-unsubscribe",
        "list-unsubscribe-post",
    ];
    if once.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        Occurrence::Once
    } else {
        Occurrence::Any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_headers_have_no_form() {
        for name in OWN {
            assert_eq!(form_of(name), None, "{name}");
            assert_eq!(form_of(&name.to_ascii_uppercase()), None, "{name}");
        }
        for name in ["Content-Type", "content-anything", "Resent-From", "ARC-Seal"] {
            assert_eq!(form_of(name), None, "{name}");
        }
    }

    #[test]
    fn custom_headers_have_the_form_of_their_grammar() {
        assert_eq!(form_of("Reply-To"), Some(HeaderForm::Addresses));
        for name in [
            "List-Unsubscribe",
            "list-id",
            "References",
            "In-Reply-To",
            "Auto-Submitted",
            "Precedence",
        ] {
            assert_eq!(form_of(name), Some(HeaderForm::Structured), "{name}");
        }
        for name in ["X-Campaign", "Keywords", "Comments", "X-From", "Contents"] {
            assert_eq!(form_of(name), Some(HeaderForm::Unstructured), "{name}");
        }
    }

    #[test]
    fn names_are_tokens() {
        for name in ["X-A", "x_y", "~", "a.b"] {
            assert!(is_header_name(name), "{name}");
        }
        let long = "x".repeat(HEADER_NAME_BYTES_MAX + 1);
        for name in ["", "X Y", "X:", "X\r\nY", "Ü", "X\t", "X\0", long.as_str()] {
            assert!(!is_header_name(name), "{name:?}");
        }
    }
}
