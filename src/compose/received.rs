//! Writes the `Received:` header that stands in front of a message: submission's own, or delivery's. It never names the client's address.

use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::head::rfc5322_date;

/// A trace is shorter, in bytes: a host name has at most 255.
const TRACE_BYTES_MAX: usize = 400;

/// How a message came in: the `with` clause, from the registry of RFC 3848.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entrance {
    /// By an HTTP call.
    Http,
    /// By SMTP submission with a login, without TLS.
    Esmtpa,
    /// By SMTP submission with a login and TLS.
    Esmtpsa,
}

impl fmt::Display for Entrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "HTTP",
            Self::Esmtpa => "ESMTPA",
            Self::Esmtpsa => "ESMTPSA",
        })
    }
}

/// The whole header with its final CRLF (RFC 5321 §4.4). `host` is our own name, `id` names the message in the log.
///
/// Characters that no host name has are left out of `host`, so that a wrong setting cannot break the header block.
#[must_use]
pub fn received(host: &str, entrance: Entrance, id: Uuid, date: DateTime<Utc>) -> String {
    let host: String = host
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-._[]:".contains(*c))
        .collect();
    let date = rfc5322_date(date);
    format!(
        "Received: by {host} with {entrance} (Sealpost)\r\n\tid {}; {date}\r\n",
        id.simple()
    )
}

/// Whether a content begins with the trace that was written for this message when it came in.
#[must_use]
pub fn bears_trace(content: &[u8], id: Uuid) -> bool {
    let beginning = content.get(..content.len().min(TRACE_BYTES_MAX)).unwrap_or_default();
    let id = format!(" (Sealpost)\r\n\tid {};", id.simple());
    beginning.starts_with(b"Received: by ") && memchr::memmem::find(beginning, id.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(host: &str, entrance: Entrance) -> String {
        let date = DateTime::from_timestamp(1_764_066_605, 0).unwrap();
        received(host, entrance, Uuid::from_u128(0x0192), date)
    }

    #[test]
    fn it_says_who_how_which_and_when() {
        assert_eq!(
            header("mx.example.org", Entrance::Http),
            "Received: by mx.example.org with HTTP (Sealpost)\r\n\
             \tid 00000000000000000000000000000192; Tue, 25 Nov 2025 10:30:05 +0000\r\n"
        );
        assert!(header("mx.example.org", Entrance::Esmtpsa).contains(" with ESMTPSA "));
    }

    #[test]
    fn a_content_s_own_trace_is_known_from_any_other() {
        let content = header("mx.example.org", Entrance::Esmtpsa) + "Subject: hi\r\n\r\n";
        assert!(bears_trace(content.as_bytes(), Uuid::from_u128(0x0192)));
        assert!(!bears_trace(content.as_bytes(), Uuid::from_u128(0x0193)));
        assert!(!bears_trace(
            format!("X: 1\r\n{content}").as_bytes(),
            Uuid::from_u128(0x0192)
        ));
        assert!(!bears_trace(b"", Uuid::nil()));
    }

    #[test]
    fn a_parser_reads_it() {
        let raw = format!("{}\r\n", header("mx.example.org", Entrance::Http));
        let message = mail_parser::MessageParser::default().parse(&raw).unwrap();
        let parsed = message.received().unwrap();
        assert_eq!(parsed.id(), Some("00000000000000000000000000000192"));
        assert_eq!(parsed.date().unwrap().to_timestamp(), 1_764_066_605);
        assert_eq!(parsed.from(), None);
    }

    #[test]
    fn a_host_cannot_break_the_header_block() {
        let header = header("mx\r\nBcc: x <y>", Entrance::Http);
        assert_eq!(header.matches("\r\n").count(), 2, "{header:?}");
        assert!(!header.contains("\r\nBcc"), "{header:?}");
    }
}
