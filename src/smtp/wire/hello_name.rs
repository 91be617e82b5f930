//! Holds the name by which a client introduces itself in `EHLO` (RFC 5321 §4.1.1.1).

/// RFC 5321 §4.5.3.1.2: a domain has at most 255 octets.
const NAME_LENGTH_BYTES_MAX: usize = 255;

/// A host name or an address literal such as `[192.0.2.1]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HelloName(String);

/// Why a text cannot be the argument of `EHLO`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HelloNameRefusal {
    /// `EHLO` needs an argument.
    #[error("the name for EHLO is empty")]
    Empty,
    /// Longer than 255 bytes.
    #[error("the name for EHLO has {length_bytes} bytes, more than {NAME_LENGTH_BYTES_MAX}")]
    TooLong {
        /// Length of the refused text in bytes.
        length_bytes: usize,
    },
    /// A byte that is not visible ASCII.
    #[error("the name for EHLO holds the byte {byte:#04x}")]
    ForbiddenByte {
        /// The byte that was found.
        byte: u8,
    },
}

impl HelloName {
    /// Accepts any visible ASCII text of 1..=255 bytes: receivers must not be picky here, and neither are we.
    ///
    /// # Errors
    /// [`HelloNameRefusal`] when the text is empty, too long, or has a byte that is not visible ASCII.
    pub fn parse(text: &str) -> Result<Self, HelloNameRefusal> {
        if text.is_empty() {
            return Err(HelloNameRefusal::Empty);
        }
        if text.len() > NAME_LENGTH_BYTES_MAX {
            return Err(HelloNameRefusal::TooLong {
                length_bytes: text.len(),
            });
        }
        match text.bytes().find(|byte| !byte.is_ascii_graphic()) {
            Some(byte) => Err(HelloNameRefusal::ForbiddenByte { byte }),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// The name as it is written after `EHLO`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_address_literals_pass() {
        for text in ["mail.example.org", "[192.0.2.1]", "[IPv6:2001:db8::1]", "my_host"] {
            assert_eq!(HelloName::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_is_no_visible_ascii_is_refused() {
        assert_eq!(HelloName::parse(""), Err(HelloNameRefusal::Empty));
        assert_eq!(
            HelloName::parse("a\r\nQUIT"),
            Err(HelloNameRefusal::ForbiddenByte { byte: b'\r' })
        );
        assert_eq!(
            HelloName::parse("a b"),
            Err(HelloNameRefusal::ForbiddenByte { byte: b' ' })
        );
        assert_eq!(
            HelloName::parse("ä"),
            Err(HelloNameRefusal::ForbiddenByte { byte: 0xc3 })
        );
        assert_eq!(
            HelloName::parse(&"a".repeat(256)),
            Err(HelloNameRefusal::TooLong { length_bytes: 256 })
        );
    }
}
