//! Holds one reply of a server (RFC 5321 §4.2): code, enhanced status and text.

use super::enhanced_status::EnhancedStatus;

/// What the first digit of a reply code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReplyClass {
    /// 2yz: done.
    Positive,
    /// 3yz: go on with what was announced.
    Intermediate,
    /// 4yz: not now.
    Transient,
    /// 5yz: not like this.
    Permanent,
}

/// One reply, complete.
///
/// The text quotes addresses: it must not reach a log, which is why `Debug` leaves it out.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    enhanced: Option<EnhancedStatus>,
    lines: Vec<String>,
}

impl Reply {
    /// Builds a reply from a code of 200..=599 and its lines without codes.
    ///
    /// The enhanced status is read from the start of the first line. Where its class contradicts the code, the code is
    /// believed and the status dropped (RFC 2034 §4 wants them equal). Codes outside the range count as 599 or 200.
    pub fn new(code: u16, lines: Vec<String>) -> Self {
        let code = code.clamp(200, 599);
        let stated = lines.first().and_then(|line| EnhancedStatus::parse_prefix(line));
        let enhanced = stated.filter(|status| u16::from(status.class) == code / 100);
        let lines = if lines.is_empty() { vec![String::new()] } else { lines };
        Self { code, enhanced, lines }
    }

    /// The reply code, 200..=599.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// What the first digit of the code says.
    pub fn class(&self) -> ReplyClass {
        match self.code / 100 {
            2 => ReplyClass::Positive,
            3 => ReplyClass::Intermediate,
            4 => ReplyClass::Transient,
            _ => ReplyClass::Permanent,
        }
    }

    /// The enhanced status, where the server gave one whose class agrees with the code.
    pub fn enhanced(&self) -> Option<EnhancedStatus> {
        self.enhanced
    }

    /// The lines as they were sent, without codes, control characters replaced; at least one.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// The lines joined by one space each.
    pub fn text(&self) -> String {
        self.lines.join(" ")
    }

    /// Whether the server will close the connection now (RFC 5321 §3.8).
    pub fn closes_connection(&self) -> bool {
        self.code == 421
    }

    /// Appends the reply, line by line with CRLF, to what is about to be written.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        let last = self.lines.len().saturating_sub(1);
        for (index, line) in self.lines.iter().enumerate() {
            let mark = if index == last { ' ' } else { '-' };
            out.extend_from_slice(format!("{}{mark}{}\r\n", self.code, printable(line)).as_bytes());
        }
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let enhanced = self.enhanced.map(|status| status.to_string());
        write!(
            f,
            "Reply({} {} redacted)",
            self.code,
            enhanced.as_deref().unwrap_or("-")
        )
    }
}

/// Replaces what would move a terminal's cursor or break a line by U+FFFD.
pub(super) fn printable(line: &str) -> String {
    line.chars()
        .map(|char| {
            if char.is_control() && char != '\t' {
                char::REPLACEMENT_CHARACTER
            } else {
                char
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(code: u16, lines: &[&str]) -> Reply {
        Reply::new(code, lines.iter().map(|line| (*line).to_owned()).collect())
    }

    #[test]
    fn a_status_that_contradicts_the_code_is_dropped() {
        let status = EnhancedStatus {
            class: 5,
            subject: 1,
            detail: 1,
        };
        assert_eq!(reply(550, &["5.1.1 gone"]).enhanced(), Some(status));
        assert_eq!(reply(450, &["5.1.1 gone"]).enhanced(), None);
        assert_eq!(reply(354, &["2.0.0 go"]).enhanced(), None);
    }

    #[test]
    fn the_class_is_the_first_digit() {
        let class = |code| reply(code, &["x"]).class();
        assert_eq!(class(250), ReplyClass::Positive);
        assert_eq!(class(354), ReplyClass::Intermediate);
        assert_eq!(class(451), ReplyClass::Transient);
        assert_eq!(class(550), ReplyClass::Permanent);
        assert!(reply(421, &["bye"]).closes_connection());
    }

    #[test]
    fn a_reply_is_written_line_by_line_and_cannot_grow_lines() {
        let mut out = Vec::new();
        reply(250, &["one", "two\r\n250 three"]).encode_into(&mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "250-one\r\n250 two\u{fffd}\u{fffd}250 three\r\n"
        );
    }

    #[test]
    fn a_reply_has_a_line_at_least() {
        let mut out = Vec::new();
        reply(250, &[]).encode_into(&mut out);
        assert_eq!(out, b"250 \r\n");
    }

    #[test]
    fn debug_shows_no_text() {
        assert_eq!(
            format!("{:?}", reply(550, &["5.1.1 ann@example.org unknown"])),
            "Reply(550 5.1.1 redacted)"
        );
    }
}
