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

/// What a DKIM key signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DkimAlgorithm {
    /// RSA with SHA-256, RFC 6376 §3.3.1: every receiver verifies it.
    Rsa,
    /// Ed25519 with SHA-256, RFC 8463 §3: receivers that do not know it pass it by.
    Ed25519,
}

impl DkimAlgorithm {
    /// The `a=` of its signatures, as [`DkimKey::algorithm`] has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rsa => "rsa-sha256",
            Self::Ed25519 => "ed25519-sha256",
        }
    }

    /// The algorithm with this `a=`; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Rsa, Self::Ed25519].into_iter().find(|one| one.as_str() == text)
    }
}

/// Which of a domain's active keys sign its mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DkimSigning {
    /// The RSA key.
    Rsa,
    /// The Ed25519 key: receivers that verify RSA alone see no signature.
    Ed25519,
    /// Every active key, one signature each (RFC 8463 §4). A domain with one key has one signature.
    #[default]
    Both,
    /// None: a relay on the way signs.
    None,
}

impl DkimSigning {
    /// Whether keys of this algorithm, the `a=` of a signature, sign.
    #[must_use]
    pub fn covers(self, algorithm: &str) -> bool {
        match self {
            Self::Rsa => algorithm == DkimAlgorithm::Rsa.as_str(),
            Self::Ed25519 => algorithm == DkimAlgorithm::Ed25519.as_str(),
            Self::Both => true,
            Self::None => false,
        }
    }

    /// The algorithms of which an active key is needed for this choice.
    #[must_use]
    pub const fn needs(self) -> &'static [DkimAlgorithm] {
        match self {
            Self::Rsa => &[DkimAlgorithm::Rsa],
            Self::Ed25519 => &[DkimAlgorithm::Ed25519],
            Self::Both => &[DkimAlgorithm::Rsa, DkimAlgorithm::Ed25519],
            Self::None => &[],
        }
    }
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
    /// Mail is signed with this key, in the place of an active one of the same algorithm.
    DkimKeyActivated {
        /// The key's selector.
        selector: String,
    },
    /// From now on these keys sign. Before the first choice it is [`DkimSigning::Both`].
    DkimSigningChosen {
        /// Which keys.
        signing: DkimSigning,
    },
    /// It is the account's no more.
    DomainRemoved,
}

domain_event!(SendingDomainEvent {
    DomainAdded,
    OwnershipVerified,
    DkimKeyCreated,
    DkimKeyActivated,
    DkimSigningChosen,
    DomainRemoved
});

impl HasPersonal for SendingDomainEvent {
    fn visit_personal(&mut self, visitor: &mut dyn PersonalVisitor) {
        match self {
            Self::DkimKeyCreated(key) => visitor.field("private_key", Subject::Account, &mut key.private_key),
            Self::DomainAdded { .. }
            | Self::OwnershipVerified { .. }
            | Self::DkimKeyActivated { .. }
            | Self::DkimSigningChosen { .. }
            | Self::DomainRemoved => {}
        }
    }
}
