//! Personal data in events: known in memory, sealed in the log, erased when its key is gone.
//!
//! No aggregate depends on a sealed value: `decide` and `apply` never match on the inside of a [`Personal`].

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ids::{DataKeyId, UserId};

/// Cipher text of one field, with the key that opens it. Text form: `key id (32 hex) . base64url(nonce ‖ box)`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl Sealed {
    /// Joins a key id and its base64url box.
    #[must_use]
    pub fn new(key: DataKeyId, boxed: &str) -> Self {
        Self(format!("{}.{boxed}", key.to_hex()))
    }

    /// Takes the text form as stored.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        Self(text)
    }

    /// The key that opens the box; `None` when the text is not in its one form, which has lower-case digits.
    #[must_use]
    pub fn key(&self) -> Option<DataKeyId> {
        let (text, _) = self.0.split_once('.')?;
        let key: DataKeyId = text.parse().ok()?;
        (key.to_hex() == text).then_some(key)
    }

    /// base64url(nonce ‖ box).
    #[must_use]
    pub fn boxed(&self) -> &str {
        self.0.split_once('.').map_or("", |(_, boxed)| boxed)
    }

    /// The text form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}

/// A value that concerns a person. Wire form: `{"known":…}`, `{"sealed":"…"}` or `"erased"`; the log only ever stores
/// the last two.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Personal<T> {
    /// In clear: between the edge and the log's writer, and in read models.
    Known(T),
    /// As stored.
    Sealed(Sealed),
    /// Its key is destroyed, or cannot be found.
    Erased,
}

impl<T> Personal<T> {
    /// The value, when it is known.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Sealed(_) | Self::Erased => None,
        }
    }
}

impl<T> fmt::Debug for Personal<T> {
    /// Redacted in every state.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Known(_) => "Known(…)",
            Self::Sealed(_) => "Sealed(…)",
            Self::Erased => "Erased",
        })
    }
}

/// Whose key seals a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The account's own key.
    Account,
    /// The key of one user.
    User(UserId),
    /// The key of the recipient whom the event concerns; the log row names it.
    Recipient,
}

/// One personal field, whatever its type.
pub trait PersonalField {
    /// JSON of the value when it is known, else `None`.
    fn plain(&self) -> Option<Vec<u8>>;
    /// The box when it is sealed, else `None`.
    fn sealed(&self) -> Option<&Sealed>;
    /// Replaces the value by its box.
    fn seal(&mut self, sealed: Sealed);
    /// Replaces the box by the value whose JSON this is.
    ///
    /// # Errors
    /// When the JSON is not of the field's type; the field is left as it was.
    fn open(&mut self, plain: &[u8]) -> Result<(), serde_json::Error>;
    /// Replaces what there is by `Erased`.
    fn erase(&mut self);
}

impl<T: Serialize + DeserializeOwned> PersonalField for Personal<T> {
    fn plain(&self) -> Option<Vec<u8>> {
        self.known().and_then(|value| serde_json::to_vec(value).ok())
    }

    fn sealed(&self) -> Option<&Sealed> {
        match self {
            Self::Sealed(sealed) => Some(sealed),
            Self::Known(_) | Self::Erased => None,
        }
    }

    fn seal(&mut self, sealed: Sealed) {
        *self = Self::Sealed(sealed);
    }

    fn open(&mut self, plain: &[u8]) -> Result<(), serde_json::Error> {
        *self = Self::Known(serde_json::from_slice(plain)?);
        Ok(())
    }

    fn erase(&mut self) {
        *self = Self::Erased;
    }
}

/// Goes through the personal fields of an event: the one way to seal, open or erase them.
pub trait PersonalVisitor {
    /// Meets one field. `name` is stable: it is bound into the box.
    fn field(&mut self, name: &'static str, subject: Subject, field: &mut dyn PersonalField);
}

/// What has personal fields, or might have.
pub trait HasPersonal {
    /// Shows each personal field to the visitor, always in the same order.
    fn visit_personal(&mut self, visitor: &mut dyn PersonalVisitor);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_wire_forms() {
        let known = Personal::Known("ann".to_owned());
        assert_eq!(serde_json::to_string(&known).unwrap(), r#"{"known":"ann"}"#);
        let key = DataKeyId::from_uuid(uuid::Uuid::from_u128(7));
        let sealed: Personal<String> = Personal::Sealed(Sealed::new(key, "AAAA"));
        let text = serde_json::to_string(&sealed).unwrap();
        assert_eq!(text, r#"{"sealed":"00000000000000000000000000000007.AAAA"}"#);
        assert_eq!(serde_json::from_str::<Personal<String>>(&text).unwrap(), sealed);
        assert_eq!(
            serde_json::to_string(&Personal::<String>::Erased).unwrap(),
            "\"erased\""
        );
        assert_eq!(Sealed::new(key, "AAAA").key(), Some(key));
    }

    #[test]
    fn debug_shows_nothing_of_the_value() {
        assert_eq!(format!("{:?}", Personal::Known("ann@example.org")), "Known(…)");
    }
}
