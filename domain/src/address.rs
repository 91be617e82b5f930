//! Mail addresses and domain names: `parse` is the only door.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Longest forward-path without its brackets, RFC 5321 §4.5.3.1.3.
pub const MAILBOX_BYTES_MAX: usize = 254;
/// Longest local part, RFC 5321 §4.5.3.1.1.
pub const LOCAL_PART_BYTES_MAX: usize = 64;
/// Longest domain name in its text form, RFC 1035 §2.3.4.
pub const DOMAIN_BYTES_MAX: usize = 253;

/// Why a text is no mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum AddressRefusal {
    /// There is no `@`, or nothing on one side of it.
    #[error("an address has the form local-part@domain")]
    NotLocalAtDomain,
    /// Longer than RFC 5321 §4.5.3.1 allows.
    #[error("the address is too long")]
    TooLong,
    /// A space, control character, quote or other character that a dot-atom may not hold.
    #[error("the local part holds a character that is not allowed")]
    BadLocalPart,
    /// The part after the `@` is no domain name.
    #[error("the domain is not a domain name")]
    BadDomain,
    /// Not ASCII: needs SMTPUTF8 (RFC 6531), which is not offered here.
    #[error("the address is not ASCII")]
    NotAscii,
}

/// A domain name as A-labels in lower case, with at least two labels.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(String);

impl DomainName {
    /// Reads a domain name and lower-cases it.
    ///
    /// # Errors
    /// [`AddressRefusal::BadDomain`] for an empty label, a label over 63 bytes, a leading or trailing hyphen, another
    /// character or a last label of digits alone (RFC 1123 §2.1); [`AddressRefusal::NotAscii`] for U-labels: convert
    /// before.
    pub fn parse(text: &str) -> Result<Self, AddressRefusal> {
        if !text.is_ascii() {
            return Err(AddressRefusal::NotAscii);
        }
        if text.is_empty() || text.len() > DOMAIN_BYTES_MAX {
            return Err(AddressRefusal::BadDomain);
        }
        let good = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        if text.split('.').count() < 2 || !text.split('.').all(good) {
            return Err(AddressRefusal::BadDomain);
        }
        // RFC 1123 §2.1: the highest label is no number. Without this a recipient could name any address of our network.
        if text
            .rsplit('.')
            .next()
            .is_some_and(|top| top.bytes().all(|b| b.is_ascii_digit()))
        {
            return Err(AddressRefusal::BadDomain);
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// The name, lower case, without a final dot.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A mailbox `local-part@domain` (RFC 5321 §4.1.2) with a dot-atom local part; the domain is lower case, the local
/// part stands as it was given.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mailbox {
    text: String,
    at: usize,
}

impl Mailbox {
    /// Reads an address without display name and brackets.
    ///
    /// # Errors
    /// As [`AddressRefusal`] says. Quoted local parts are refused: nearly nobody has one, and they smuggle.
    pub fn parse(text: &str) -> Result<Self, AddressRefusal> {
        let (local, domain) = text.rsplit_once('@').ok_or(AddressRefusal::NotLocalAtDomain)?;
        if local.is_empty() || domain.is_empty() {
            return Err(AddressRefusal::NotLocalAtDomain);
        }
        if !local.is_ascii() {
            return Err(AddressRefusal::NotAscii);
        }
        if text.len() > MAILBOX_BYTES_MAX || local.len() > LOCAL_PART_BYTES_MAX {
            return Err(AddressRefusal::TooLong);
        }
        let atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
        if !local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(atext)) {
            return Err(AddressRefusal::BadLocalPart);
        }
        let domain = DomainName::parse(domain)?;
        Ok(Self {
            text: format!("{local}@{}", domain.as_str()),
            at: local.len(),
        })
    }

    /// `local-part@domain`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the `@`.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// What stands behind the `@`.
    #[must_use]
    pub fn domain(&self) -> DomainName {
        DomainName(
            self.text
                .get(self.at.saturating_add(1)..)
                .unwrap_or_default()
                .to_owned(),
        )
    }

    /// The form under which suppression compares addresses: all lower case. Two spellings of one mailbox that differ in
    /// case meet the same person at every large provider.
    #[must_use]
    pub fn folded(&self) -> String {
        self.text.to_ascii_lowercase()
    }
}

macro_rules! text_form {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}
text_form!(DomainName);
text_form!(Mailbox);

impl fmt::Debug for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Mailbox {
    /// Redacted: an address in a program log is a leak.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mailbox(…@{})", self.domain())
    }
}

/// A keyed hash of a folded mailbox: names a person's address to the account's suppression list and to nobody else.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AddressToken(String);

impl AddressToken {
    /// Takes the first 16 bytes of the vault's HMAC over [`Mailbox::folded`].
    #[must_use]
    pub fn from_mac(mac: [u8; 16]) -> Self {
        use fmt::Write;
        let mut text = String::with_capacity(32);
        for byte in mac {
            // Writing to a String cannot fail.
            write!(text, "{byte:02x}").unwrap_or_default();
        }
        Self(text)
    }

    /// 32 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_addresses_keep_their_local_part_and_lower_their_domain() {
        let mailbox = Mailbox::parse("Ann.O'Neil+x@Example.ORG").unwrap();
        assert_eq!(mailbox.as_str(), "Ann.O'Neil+x@example.org");
        assert_eq!(mailbox.local_part(), "Ann.O'Neil+x");
        assert_eq!(mailbox.domain().as_str(), "example.org");
        assert_eq!(mailbox.folded(), "ann.o'neil+x@example.org");
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_reason() {
        use AddressRefusal::*;
        for (text, why) in [
            ("", NotLocalAtDomain),
            ("ann", NotLocalAtDomain),
            ("@example.org", NotLocalAtDomain),
            ("ann@", NotLocalAtDomain),
            ("a b@example.org", BadLocalPart),
            ("a\r\n@example.org", BadLocalPart),
            ("a\0@example.org", BadLocalPart),
            ("\"a\"@example.org", BadLocalPart),
            ("a..b@example.org", BadLocalPart),
            (".a@example.org", BadLocalPart),
            ("a@b@example.org", BadLocalPart),
            ("a@localhost", BadDomain),
            ("a@exa mple.org", BadDomain),
            ("a@-example.org", BadDomain),
            ("a@example..org", BadDomain),
            ("a@[127.0.0.1]", BadDomain),
            ("a@127.0.0.1", BadDomain),
            ("a@10.1", BadDomain),
            ("ä@example.org", NotAscii),
            ("a@exämple.org", NotAscii),
        ] {
            assert_eq!(Mailbox::parse(text), Err(why), "{text:?}");
        }
        assert_eq!(Mailbox::parse(&format!("{}@example.org", "a".repeat(65))), Err(TooLong));
    }

    #[test]
    fn debug_shows_no_local_part() {
        assert!(!format!("{:?}", Mailbox::parse("secret@example.org").unwrap()).contains("secret"));
    }

    proptest::proptest! {
        #[test]
        fn parse_never_panics_and_what_it_takes_it_takes_again(text in ".{0,80}") {
            if let Ok(mailbox) = Mailbox::parse(&text) {
                proptest::prop_assert_eq!(Mailbox::parse(mailbox.as_str()), Ok(mailbox.clone()));
                proptest::prop_assert!(!mailbox.as_str().contains(['\r', '\n', '\0', ' ', '<', '>']));
            }
        }
    }
}
