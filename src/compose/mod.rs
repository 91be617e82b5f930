//! Turns a request into the bytes of a message, and a finished message back into what people are shown.
//!
//! Never reads the clock, the network or randomness: date, ids and the seed of the boundaries arrive in [`mime::Stamp`],
//! so that equal input gives equal bytes. Start at [`mime::compose`].

pub mod body;
pub mod draft;
pub mod head;
pub mod header_rule;
pub mod keep;
mod mailbox;
pub mod media_type;
pub mod merge;
mod merged;
pub mod mime;
mod plain_text;
pub mod received;
mod redacted;
pub mod refusal;
pub mod show;
pub mod submitted;

pub use draft::{Address, Alternatives, Attachment, Audience, Draft, InlineImage, Recipient, RecipientKind};
pub use head::parse_mailboxes as parse_addresses;
pub use keep::{KeepFailure, Keeper, KeptMessage, PreparedMail, ReadFailure};
pub use mailbox::parse_mailbox;
pub use merge::{Merge, MergeLanguage};
pub use mime::{ComposedCall, ComposedHead, Stamp, compose};
pub use received::{Entrance, bears_trace, received};
pub use refusal::{ComposeRefusal, Place};
pub use show::{NotAMessage, ShownAddress, ShownAttachment, ShownMessage, show};
pub use submitted::{AdoptRefusal, AdoptedMessage, Peeked, adopt, from_field, peek};

#[cfg(test)]
mod tests;
