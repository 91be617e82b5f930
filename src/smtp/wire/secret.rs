//! Holds a response of an authentication exchange (RFC 4954 §4) in its base64 form.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// RFC 4954 §4: a response line has at most 12,288 octets.
const RESPONSE_LENGTH_BYTES_MAX: usize = 12_288;

/// A credential in base64. Redacted in `Debug`, erased from memory when dropped, never in a transcript.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the bytes that the mechanism asks for.
    pub fn encode(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(STANDARD.encode(bytes)))
    }

    /// Reads a response as it stands on the wire; a lone `=` is the empty response. `None` where it is no base64 or
    /// longer than 12,288 bytes.
    pub fn parse(text: &str) -> Option<Self> {
        let text = if text == "=" { "" } else { text };
        let valid = text.len() <= RESPONSE_LENGTH_BYTES_MAX && STANDARD.decode(text).map(Zeroizing::new).is_ok();
        valid.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The bytes that the mechanism asks for.
    pub fn decode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(STANDARD.decode(self.0.as_str()).unwrap_or_default())
    }

    /// The form of the wire; must not be recorded anywhere.
    pub fn as_wire(&self) -> &str {
        if self.0.is_empty() { "=" } else { &self.0 }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_and_the_empty_response_has_its_own_form() {
        let secret = Secret::encode(b"\0user\0pass");
        assert_eq!(secret.as_wire(), "AHVzZXIAcGFzcw==");
        assert_eq!(
            Secret::parse(secret.as_wire()).unwrap().decode().as_slice(),
            b"\0user\0pass"
        );
        assert_eq!(Secret::encode(b"").as_wire(), "=");
        assert_eq!(Secret::parse("=").unwrap().decode().as_slice(), b"");
    }

    #[test]
    fn what_is_no_base64_is_refused() {
        assert_eq!(Secret::parse("a b"), None);
        assert_eq!(Secret::parse("*"), None);
        assert_eq!(Secret::parse(&"A".repeat(12_292)), None);
        assert!(Secret::parse(&"A".repeat(12_288)).is_some());
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::encode(b"pass")), "Secret(redacted)");
    }
}
