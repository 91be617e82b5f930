//! Identifiers: one newtype per kind, so that a key id never stands where a message id is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Takes an id that the program drew (UUIDv7, so that ids sort by time).
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The bare UUID.
            #[must_use]
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }

            /// 32 lower-case hex digits without hyphens, the form of Mandrill's `_id`.
            #[must_use]
            pub fn to_hex(&self) -> String {
                self.0.simple().to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0.hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            /// Reads both forms: with hyphens, and 32 hex digits.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }
    };
}

id!(
    /// An account: who pays, who is isolated from whom.
    AccountId
);
id!(
    /// A person who signs in.
    UserId
);
id!(
    /// An API key, not its secret.
    KeyId
);
id!(
    /// A message to one recipient; its stream bears the same id.
    MessageId
);
id!(
    /// One call of the API or one SMTP transaction.
    RequestId
);
id!(
    /// One event; what a caller in doubt asks the log for.
    EventId
);
id!(
    /// One attempt to hand a message to a remote server.
    AttemptId
);
id!(
    /// A data key of the vault.
    DataKeyId
);
id!(
    /// A stored part of a message's content.
    PartId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_from_both_of_its_forms() {
        let id = MessageId::from_uuid(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001));
        assert_eq!(id.to_string().parse::<MessageId>().unwrap(), id);
        assert_eq!(id.to_hex().parse::<MessageId>().unwrap(), id);
        assert_eq!(id.to_hex().len(), 32);
    }
}
