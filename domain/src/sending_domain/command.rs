//! What may be asked of a sending domain.

use crate::address::DomainName;

use super::event::{DkimKey, DkimSigning, OwnershipProof};

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
    /// Sign with this key from now on, in the place of an active one of the same algorithm.
    ActivateDkimKey {
        /// The key's selector.
        selector: String,
    },
    /// Choose which of its active keys sign.
    ChooseSigning {
        /// Which keys.
        signing: DkimSigning,
    },
    /// Take it from the account.
    RemoveDomain,
}
