//! What happened to a suppression entry.

use serde::{Deserialize, Serialize};

use crate::address::AddressToken;
use crate::aggregate::domain_event;
use crate::instant::Instant;
use crate::personal::{HasPersonal, Personal, PersonalVisitor, Subject};

/// Why an address is suppressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionReason {
    /// Its server said that there is no such mailbox.
    HardBounce,
    /// The person complained.
    Complaint,
    /// The person unsubscribed.
    Unsubscribed,
    /// The account's owner put it there.
    Manual,
}

impl SuppressionReason {
    /// Mandrill's word for it.
    #[must_use]
    pub const fn mandrill(self) -> &'static str {
        match self {
            Self::HardBounce => "hard-bounce",
            Self::Complaint => "spam",
            Self::Unsubscribed => "unsub",
            Self::Manual => "custom",
        }
    }
}

/// Events of one entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SuppressionEvent {
    /// The address is written to no more.
    AddressSuppressed {
        /// Token of the address.
        token: AddressToken,
        /// The address.
        address: Personal<String>,
        /// Why.
        reason: SuppressionReason,
        /// Until when; `None` is for ever.
        until: Option<Instant>,
    },
    /// The address is written to again.
    AddressReleased {
        /// Token of the address.
        token: AddressToken,
    },
}

domain_event!(SuppressionEvent {
    AddressSuppressed,
    AddressReleased
});

impl HasPersonal for SuppressionEvent {
    fn visit_personal(&mut self, visitor: &mut dyn PersonalVisitor) {
        match self {
            Self::AddressSuppressed { address, .. } => visitor.field("address", Subject::Recipient, address),
            Self::AddressReleased { .. } => {}
        }
    }
}
