//! What happened to a sending domain.

use serde::{Deserialize, Serialize};

use crate::address::DomainName;
use crate::aggregate::domain_event;
use crate::personal::{HasPersonal, Personal, PersonalVisitor, Subject};

/// How the ownership of a domain was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnershipProof {
    /// Whoever commands the host says so.
    Operator,
    /// The record stands in the DNS.
    Dns,
}

/// A DKIM key pair (RFC 6376). The private half is sealed like personal data: nobody reads it without the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DkimKey {
    /// The selector, RFC 6376 §3.1.
    pub selector: String,
    /// `rsa-sha256` or `ed25519-sha256`.
    pub algorithm: String,
    /// The public half as the DNS record has it, base64.
    pub public_key: String,
    /// The private half, PKCS#8 DER in base64.
    pub private_key: Personal<String>,
}

/// Events of a sending domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SendingDomainEvent {
    /// It belongs to the account's list.
    DomainAdded {
        /// The domain.
        domain: DomainName,
    },
    /// It is the account's.
    OwnershipVerified {
        /// How that was seen.
        proof: OwnershipProof,
    },
    /// A DKIM key is kept for it.
    DkimKeyCreated(Box<DkimKey>),
    /// Mail is signed with this key.
    DkimKeyActivated {
        /// The key's selector.
        selector: String,
    },
    /// It is the account's no more.
    DomainRemoved,
}

domain_event!(SendingDomainEvent {
    DomainAdded,
    OwnershipVerified,
    DkimKeyCreated,
    DkimKeyActivated,
    DomainRemoved
});

impl HasPersonal for SendingDomainEvent {
    fn visit_personal(&mut self, visitor: &mut dyn PersonalVisitor) {
        match self {
            Self::DkimKeyCreated(key) => visitor.field("private_key", Subject::Account, &mut key.private_key),
            Self::DomainAdded { .. }
            | Self::OwnershipVerified { .. }
            | Self::DkimKeyActivated { .. }
            | Self::DomainRemoved => {}
        }
    }
}
