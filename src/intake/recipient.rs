//! Holds one recipient of a call as it was given.

use sealpost_domain::address::AddressRefusal;
use sealpost_domain::ids::MessageId;

use crate::actors::OwnShare;

/// One recipient of a call.
#[derive(Clone, PartialEq, Eq)]
pub struct Planned {
    /// The message.
    pub message: MessageId,
    /// The address as it was given.
    pub given: String,
    /// Why it is none, where it is none.
    pub refusal: Option<AddressRefusal>,
    /// What it has for itself.
    pub own: OwnShare,
}
