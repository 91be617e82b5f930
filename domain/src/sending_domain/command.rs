//! What may be asked of a sending domain.

use crate::address::DomainName;

use super::event::{DkimKey, OwnershipProof};

/// Commands on a sending domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendingDomainCommand {
    /// Add it to the account.
    AddDomain {
        /// The domain.
        domain: DomainName,
    },
    /// Record that it is the account's.
    VerifyOwnership {
        /// How that was seen.
        proof: OwnershipProof,
    },
    /// Keep a new DKIM key for it.
    CreateDkimKey(Box<DkimKey>),
    /// Sign with this key from now on.
    ActivateDkimKey {
        /// The key's selector.
        selector: String,
    },
    /// Take it from the account.
    RemoveDomain,
}
