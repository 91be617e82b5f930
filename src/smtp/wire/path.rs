//! Holds reverse-paths and forward-paths in the one form that may be written into a command line (RFC 5321 §4.1.2).

use std::fmt;

/// RFC 5321 §4.5.3.1.3: a path has at most 256 octets, of which the angle brackets take two.
const PATH_LENGTH_BYTES_MAX: usize = 254;

/// Why a text cannot stand between the angle brackets of `MAIL FROM` or `RCPT TO`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathRefusal {
    /// A forward-path names somebody; only a reverse-path may be null.
    #[error("the path is empty")]
    Empty,
    /// Longer than the 254 bytes of RFC 5321 §4.5.3.1.3.
    #[error("the path has {length_bytes} bytes, more than {PATH_LENGTH_BYTES_MAX}")]
    TooLong {
        /// Length of the refused text in bytes.
        length_bytes: usize,
    },
    /// A control character, a space or an angle bracket: it could end the path, and with it the command.
    #[error("the path holds the byte {byte:#04x} at {position}")]
    ForbiddenByte {
        /// The byte that was found.
        byte: u8,
        /// Its place in the text, counted in bytes from 0.
        position: usize,
    },
}

/// Where failures of a message are reported to; null (`<>`) for reports themselves (RFC 5321 §4.5.5).
///
/// Redacted in `Debug`, because logs must not hold addresses.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct ReversePath(String);

/// The mailbox one message goes to. Redacted in `Debug`, because logs must not hold addresses.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ForwardPath(String);

impl ReversePath {
    /// The null reverse-path, to which nothing is ever reported.
    pub fn null() -> Self {
        Self::default()
    }

    /// Accepts a mailbox without angle brackets, or the empty text for the null path.
    ///
    /// # Errors
    /// [`PathRefusal`] when the text is too long or could end the command it is written into.
    pub fn parse(text: &str) -> Result<Self, PathRefusal> {
        check(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The text between the angle brackets; empty for the null path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether failures of this message are to be reported to nobody.
    pub fn is_null(&self) -> bool {
        self.0.is_empty()
    }
}

impl ForwardPath {
    /// Accepts a mailbox without angle brackets.
    ///
    /// # Errors
    /// [`PathRefusal`] when the text is empty, too long, or could end the command it is written into.
    pub fn parse(text: &str) -> Result<Self, PathRefusal> {
        if text.is_empty() {
            return Err(PathRefusal::Empty);
        }
        check(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The text between the angle brackets; never empty.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_null() {
            "ReversePath(null)"
        } else {
            "ReversePath(redacted)"
        })
    }
}

impl fmt::Debug for ForwardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForwardPath(redacted)")
    }
}

// Quoted local parts may hold spaces and brackets by the grammar. We refuse them all the same: nobody's mailbox needs
// them, and a parser on the other side that disagrees about quoting is how one command becomes two.
fn check(text: &str) -> Result<(), PathRefusal> {
    if text.len() > PATH_LENGTH_BYTES_MAX {
        return Err(PathRefusal::TooLong {
            length_bytes: text.len(),
        });
    }
    let forbidden = |byte: u8| byte <= b' ' || byte == 0x7f || byte == b'<' || byte == b'>';
    match text.bytes().enumerate().find(|(_, byte)| forbidden(*byte)) {
        Some((position, byte)) => Err(PathRefusal::ForbiddenByte { byte, position }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_is_kept_as_it_is() {
        assert_eq!(
            ForwardPath::parse("Ann@Example.org").unwrap().as_str(),
            "Ann@Example.org"
        );
        assert_eq!(
            ReversePath::parse("søren@example.org").unwrap().as_str(),
            "søren@example.org"
        );
    }

    #[test]
    fn only_a_reverse_path_may_be_null() {
        assert!(ReversePath::parse("").unwrap().is_null());
        assert_eq!(ForwardPath::parse(""), Err(PathRefusal::Empty));
    }

    #[test]
    fn what_could_end_the_command_is_refused() {
        for byte in *b"\r\n\0 \t\x7f<>" {
            let text = format!("a{}b@example.org", char::from(byte));
            let refusal = PathRefusal::ForbiddenByte { byte, position: 1 };
            assert_eq!(ForwardPath::parse(&text), Err(refusal));
            assert_eq!(ReversePath::parse(&text), Err(refusal));
        }
    }

    #[test]
    fn the_limit_is_254_bytes() {
        let fits = format!("{}@b", "a".repeat(252));
        assert!(ForwardPath::parse(&fits).is_ok());
        let refusal = PathRefusal::TooLong { length_bytes: 255 };
        assert_eq!(ForwardPath::parse(&format!("a{fits}")), Err(refusal));
    }

    #[test]
    fn debug_shows_no_address() {
        let shown = format!(
            "{:?} {:?}",
            ForwardPath::parse("ann@b").unwrap(),
            ReversePath::parse("bob@b").unwrap()
        );
        assert!(!shown.contains("ann") && !shown.contains("bob"), "{shown}");
    }
}
