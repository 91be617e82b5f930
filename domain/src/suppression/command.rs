//! What may be asked of a suppression entry.

use crate::address::AddressToken;
use crate::instant::Instant;
use crate::personal::Personal;

use super::event::SuppressionReason;

/// Commands on one entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SuppressionCommand {
    /// Write to this address no more.
    SuppressAddress {
        /// Token of the address.
        token: AddressToken,
        /// The address.
        address: Personal<String>,
        /// Why.
        reason: SuppressionReason,
        /// Until when; `None` is for ever.
        until: Option<Instant>,
    },
    /// Write to this address again.
    ReleaseAddress {
        /// Token of the address.
        token: AddressToken,
    },
}
